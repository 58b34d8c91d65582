"""What tells a twin world from its base, in a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from fixtures.census import Census
from fixtures.world import World

_MOST_IDS = 3
_MOST_KEYS = 4
_WIDTH = 132


def describe_change(base: World, twin: World) -> str:
    """Such as `1 person more (NEW-1); cola_rate 0.01 -> 0`."""
    parts = [*_census_changes(base.census, twin.census), *_rule_changes(base, twin)]
    text = "; ".join(parts) or "the same world"
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _census_changes(base: Census, twin: Census) -> Iterator[str]:
    old, new = (census.table["employee_id"].to_pylist() for census in (base, twin))
    added, gone = [one for one in new if one not in set(old)], [one for one in old if one not in set(new)]
    if added and len(added) == len(gone) == len(old):
        yield f"all people renamed, {old[0]} to {new[0]}" if len(old) > 1 else f"{old[0]} renamed to {new[0]}"
        return
    if added:
        yield f"{_people(added)} more ({_some(added)})"
    if gone:
        yield f"{_people(gone)} less ({_some(gone)})"
    if not added and not gone and old != new:
        yield "the rows in another order"
    yield from _cell_changes(base, twin)


def _cell_changes(base: Census, twin: Census) -> Iterator[str]:
    people = {one.employee_id: asdict(one) for one in base.employees()}
    changed: dict[str, list[tuple[str, Any, Any]]] = {}
    for one in twin.employees():
        before = people.get(one.employee_id)
        for column, value in asdict(one).items() if before else ():
            if before is not None and before[column] != value and column != "employee_ssn":
                changed.setdefault(column, []).append((one.employee_id, before[column], value))
    for column, cells in changed.items():
        employee, before_, after = cells[0]
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        yield f"{column} of {employee} {before_} -> {after}{more}"


def _rule_changes(base: World, twin: World) -> Iterator[str]:
    old, new = (dict(_flat(world.scenario.to_dict(), "")) for world in (base, twin))
    changed = [key for key in (*old, *(key for key in new if key not in old)) if old.get(key) != new.get(key)]
    yield from (f"{key} {_value(old, key)} -> {_value(new, key)}" for key in changed[:_MOST_KEYS])
    if len(changed) > _MOST_KEYS:
        yield f"{len(changed) - _MOST_KEYS} more keys"


def _flat(values: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _value(values: Mapping[str, Any], key: str) -> str:
    return "nothing" if key not in values else "none" if values[key] is None else str(values[key])


def _people(ids: list[str]) -> str:
    return "1 person" if len(ids) == 1 else f"{len(ids)} people"


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:_MOST_IDS]) + (", …" if len(ids) > _MOST_IDS else "")
