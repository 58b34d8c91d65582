"""The tables of a night's summary; long ones are cut, and say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scale.nightly.records import EarlierNight, Known, Night, SlowWorld, UnitLine
from scale.nightly.report import facts
from scale.nightly.report.issues import issue_file
from scale.reports.document import Block, Mark, Table, Text, Value, one_line, table
from scale.reports.units import NONE, count, number, seconds

MOST_ROWS = 150
"""Rows of one table: with names at their longest all tables together stay below the limit of a step's summary."""
_ENGINE = 60


def failure_table(failures: Sequence[Known]) -> Table:
    """New or flaky failures, in the order given."""
    rows = [
        (
            one_line(one.headline),
            one_line(one.test, _ENGINE),
            _engines(one),
            facts.repro_size(one.employees, one.years),
            count(one.tonight),
            one_line(one.bundle or NONE),
            issue_file(one.key),
        )
        for one in failures[:MOST_ROWS]
    ]
    return table("what differs|test|engines|smallest repro|>worlds|bundle, in the corpus|issue text", rows)


def known_blocks(night: Night) -> Iterator[Block]:
    """Known failures, those that most worlds showed first."""
    often = sorted(night.known, key=lambda one: (-one.tonight, one.key))
    rows = [
        (
            one_line(one.headline),
            _engines(one),
            count(one.tonight),
            count(one.count),
            one.first[:10],
            facts.repro_size(one.employees, one.years),
            one_line(one.untested or NONE),
        )
        for one in often[:MOST_ROWS]
    ]
    yield table(
        "what differs|engines|>worlds tonight|>worlds ever|first met|smallest repro|could not be run again", rows
    )
    yield from left_out(len(often))


def slowest_table(slowest: Sequence[SlowWorld]) -> Table:
    """The slowest worlds, by all engines together."""
    order = sorted(slowest, key=lambda one: -sum(one.seconds.values()))[:MOST_ROWS]
    rows = [
        (
            one.fingerprint[:12],
            count(one.employees),
            count(one.years),
            ", ".join(f"{one_line(spec, _ENGINE)} {seconds(taken)}" for spec, taken in one.seconds.items()),
            one_line(one.input or NONE),
        )
        for one in order
    ]
    return table("world|>employees|>years|alone|input", rows)


def label_blocks(night: Night) -> Iterator[Block]:
    """Every event type and label that was met, the rarest first."""
    rare = sorted(night.labels.items(), key=lambda item: (item[1], item[0]))
    rows = [
        (one_line(name, _ENGINE), count(worlds), f"{number(1e6 * worlds / night.worlds)}" if night.worlds else NONE)
        for name, worlds in rare[: 2 * MOST_ROWS]
    ]
    yield table("event type or label|>worlds|>in a million worlds", rows)


def unit_blocks(units: Sequence[UnitLine]) -> Iterator[Block]:
    """What each kind of unit came to, and each unit that gave no result."""
    kinds: dict[str, list[UnitLine]] = {}
    for unit in units:
        # the canary is meant to fail, and its worlds are not counted
        kinds.setdefault("canary" if unit.name.endswith("-canary") else unit.what, []).append(unit)
    rows = []
    for what, found in kinds.items():
        worlds, took = sum(unit.worlds for unit in found), sum(unit.seconds for unit in found)
        ended = ", ".join(f"{number} {status}" for status, number in _tally(unit.status for unit in found))
        rows.append(
            (one_line(what, _ENGINE), count(len(found)), ended, count(worlds), seconds(took), facts.rate(worlds, took))
        )
    yield table("what|>units|ended|>worlds|>time|>rate", rows)
    bad = facts.without_result(units)
    told: list[tuple[Value, ...]] = [
        (
            one_line(unit.name, 80),
            Mark("fail", unit.status),
            seconds(unit.seconds),
            count(unit.worlds),
            one_line(unit.reason) or NONE,
            one_line(unit.host, 60) or NONE,
        )
        for unit in bad[:MOST_ROWS]
    ]
    yield table("unit without a whole result|status|>time|>worlds|reason|host", told)
    yield from left_out(len(bad))


def earlier_blocks(earlier: Sequence[EarlierNight]) -> Iterator[Block]:
    """The nights before, the last one first."""
    rows: list[tuple[Value, ...]] = [
        (
            night.started[:10],
            Mark(facts.VERDICTS[night.status], night.status),
            (night.commit or NONE)[:13],
            count(night.worlds),
            facts.rate(night.worlds, night.seconds),
            count(night.labels),
            count(night.pairs),
            *(str(value) for value in (night.new, night.known, night.fixed, night.flaky)),
            {True: "caught", False: "missed", None: NONE}[night.canary],
        )
        for night in earlier[: -MOST_ROWS - 1 : -1]
    ]
    yield table("night|status|commit|>worlds|>rate|>labels|>pairs|>new|>known|>fixed|>flaky|canary", rows)
    yield from left_out(len(earlier))


def pairs_table(rows: Iterable[tuple[str, str]]) -> Table:
    """Names with their values."""
    return table("|", [(one_line(name, 80), one_line(value, 300)) for name, value in rows])


def left_out(number: int) -> Iterator[Block]:
    """What a table of so many rows does not show."""
    if number > MOST_ROWS:
        yield Text(f"And {number - MOST_ROWS:,} more; summary.json has them all.")


def _engines(one: Known) -> str:
    return ", ".join(one_line(spec, _ENGINE) for spec in one.engines)


def _tally(statuses: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for status in statuses:
        counts[status] = counts.get(status, 0) + 1
    return sorted(counts.items())
