"""The events that led to a divergence, of one employee, side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from differential.comparison.differences import NO_YEAR, event_code
from differential.comparison.text import columns

Event = Mapping[str, object]
Point = tuple[int, dt.date, int]

MAX_CHAIN = 12


def events_until(events: pa.Table, employee: object, until: Point) -> tuple[Event, ...]:
    """That employee's events up to and including a point (year, date, event code), in order of date and code."""
    wanted = pa.scalar(employee, events.schema.field("employee_id").type)
    rows: list[Event] = events.filter(pc.equal(events["employee_id"], wanted)).to_pylist()
    return tuple(sorted((row for row in rows if _point(row) <= until), key=_point))


def describe_chain(left: Sequence[Event], right: Sequence[Event], left_name: str, right_name: str) -> list[str]:
    """Aligned lines, one per event, `!` before those that differ; the last ones where there are many."""
    merged = _merge(left, right)
    shown = merged[-MAX_CHAIN:]
    rows = [("", "date", "event", left_name, right_name)]
    for one, other in shown:
        row = one or other or {}
        equal = one == other
        dates = sorted({str(side["event_date"]) for side in (one, other) if side})
        rows.append(
            (
                " " if equal else "!",
                " / ".join(dates),
                str(row["event_type"]),
                _summary(one, with_date=len(dates) > 1),
                "the same" if equal else _summary(other, with_date=len(dates) > 1),
            )
        )
    lines = columns(rows, "    ")
    earlier = merged[: -len(shown)] if shown else []
    if earlier:
        differing = sum(one != other for one, other in earlier)
        lines.insert(1, f"       ... {len(earlier)} earlier events, {differing or 'none'} of them different")
    return lines


def _merge(left: Sequence[Event], right: Sequence[Event]) -> list[tuple[Event | None, Event | None]]:
    """Events of both sides in order, those of one year and type on one line, the k-th with the k-th."""
    places: dict[tuple[object, object, int], list[Event | None]] = {}
    for side, events in enumerate((left, right)):
        turn: dict[tuple[object, object], int] = {}
        for event in events:
            key = (event["simulation_year"], event["event_type"])
            turn[key] = turn.get(key, 0) + 1
            places.setdefault((*key, turn[key]), [None, None])[side] = event
    pairs = [(pair[0], pair[1]) for pair in places.values()]
    return sorted(pairs, key=lambda pair: min(_point(event) for event in pair if event))


def _point(event: Event) -> Point:
    year, date = event["simulation_year"], event["event_date"]
    return (
        year if isinstance(year, int) else NO_YEAR,
        date if isinstance(date, dt.date) else dt.date.min,
        event_code(event["event_type"]),
    )


def _summary(event: Event | None, *, with_date: bool) -> str:
    """What an event did, such as `60000.00 -> 62400.00, level 2`."""
    if event is None:
        return "-"
    parts = [str(event["event_date"])] if with_date else []
    for before, after in (
        ("previous_compensation", "compensation_amount"),
        ("prev_employee_deferral_rate", "employee_deferral_rate"),
    ):
        values = [str(event[name]) for name in (before, after) if event.get(name) is not None]
        if values:
            parts.append(" -> ".join(values))
    if event.get("level_id") is not None:
        parts.append(f"level {event['level_id']}")
    return ", ".join(parts)
