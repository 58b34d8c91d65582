"""The tables and lists that a sweep's report consists of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scale.records import Check, Leak, Run, Sweep
from scale.reports.cells import CellView, describe, held
from scale.reports.document import Block, Code, Heading, Mark, Table, Value, table
from scale.reports.targets import targets
from scale.reports.units import NONE, count, percent, seconds, size

GRAVITY = ("fail", "timeout", "insufficient", "inconclusive", "pass", "info")
_CELL = "engine|level|>employees|>years|>shards|>threads"


def gravest_first(checks: Sequence[Check]) -> list[Check]:
    """The checks in the order a reader needs them; equal ones in the order they came."""
    return sorted(checks, key=lambda check: GRAVITY.index(check.verdict))


def open_checks(checks: Sequence[Check]) -> Table:
    """Checks that do not pass, the gravest first, with what to do."""
    found = [check for check in gravest_first(checks) if check.verdict not in ("pass", "info")]
    rows = [
        (Mark(check.verdict), check.id, check.title, check.engine, check.evidence, check.advice or NONE)
        for check in found
    ]
    return table("verdict|check|what must hold|engine|evidence|what to do", rows)


def other_checks(checks: Sequence[Check]) -> Table:
    """Checks that pass, then those that are only shown."""
    found = [check for check in gravest_first(checks) if check.verdict in ("pass", "info")]
    rows = [(Mark(check.verdict), check.id, check.title, check.engine, check.evidence) for check in found]
    return table("verdict|check|what must hold|engine|evidence", rows)


def scenario_table(views: Sequence[CellView]) -> Table:
    """Each scenario's cells with their targets, and the slowest run and highest peak beside."""
    rows: list[tuple[Value, ...]] = [
        (
            target.scenario,
            *_cell(target.view),
            seconds(target.view.seconds.max if target.view.seconds else None),
            seconds(target.seconds),
            size(target.view.peak.max if target.view.peak else None),
            size(target.memory),
            _status(target.view),
        )
        for target in targets(views)
    ]
    return table(f"scenario|{_CELL}|>slowest run|>target|>highest peak|>target|status", rows)


def time_table(views: Sequence[CellView]) -> Table:
    """Wall seconds of every cell; one without a result has its error in the last column."""
    rows: list[tuple[Value, ...]] = []
    for view in views:
        found = view.seconds
        figures = (found.median, found.mean, found.min, found.max) if found else (None,) * 4
        std, cv = (found.std, found.cv) if found and found.n > 1 else (None, None)
        cpu = view.middle(lambda run: run.cpu_seconds)
        rows.append(
            (*_cell(view), str(len(view.counted)), *(seconds(value) for value in (*figures, std)), percent(cv, 1),
             seconds(cpu), _status(view))
        )  # fmt: skip
    return table(f"{_CELL}|>runs|>median|>mean|>min|>max|>std|>cv|>CPU|status", rows)


def memory_table(views: Sequence[CellView]) -> Table:
    """Peak memory of every cell that has a figure, and how it was found."""
    rows = []
    for view in views:
        if view.peak is None:
            continue
        sampled = view.values(lambda run: run.memory.sampled_peak if run.memory else None)
        rss = view.values(lambda run: run.memory.sampled_rss_peak if run.memory else None)
        marks = view.values(lambda run: run.memory.high_water if run.memory else None)
        before = view.middle(lambda run: run.memory.before if run.memory else None)
        cv = view.peak.cv if view.peak.n > 1 else None
        rows.append(
            (*_cell(view), size(view.peak.max), percent(cv, 1), view.memory_kind, size(max(sampled)), size(max(rss)),
             size(max(marks, default=None)), size(before), size(view.added_per_employee))
        )  # fmt: skip
    return table(f"{_CELL}|>highest peak|>cv|kind|>sampled|>RSS sampled|>high-water|>before|>added per employee", rows)


def output_table(views: Sequence[CellView]) -> Table:
    """What the runs of every cell with a result left behind, and how fast."""
    rows = [
        (
            *_cell(view),
            count(view.middle(lambda run: run.events)),
            count(view.middle(lambda run: run.state_rows)),
            count(view.events_per_second),
            count(view.middle(lambda run: run.statements)),
            size(view.middle(lambda run: run.database_bytes)),
            size(view.middle(lambda run: run.written_bytes)),
            size(view.middle(lambda run: run.read_bytes)),
        )
        for view in views
        if view.counted
    ]
    return table(f"{_CELL}|>events|>state rows|>events/s|>statements|>database|>written|>read", rows)


def leak_table(leaks: Sequence[Leak]) -> Table:
    """Memory in use after each repeated run in one process."""
    rows = [
        (
            leak.cell.engine,
            f"{leak.cell.employees:,} employees, {held(leak.cell)}",
            Mark(leak.status, leak.status if leak.status == "ok" else f"{leak.status}: {leak.error}"),
            str(len(leak.after)),
            ", ".join(f"{value / 1e6:,.1f}" for value in leak.after) or NONE,
        )
        for leak in leaks
    ]
    return table("engine|workload|status|>runs|memory after each run (MB)", rows)


def monitor_table(sweep: Sweep) -> Table:
    """What watching cost, by engine: CPU time of sampling over wall time of the runs."""
    rows = []
    for engine in dict.fromkeys(run.cell.engine for run in sweep.runs):
        runs = [
            run for run in sweep.runs if run.cell.engine == engine and run.counted and run.monitor_seconds is not None
        ]
        wall = sum(run.seconds or 0.0 for run in runs)
        if not wall:
            continue
        shares = [(run.monitor_seconds or 0.0) / run.seconds for run in runs if run.seconds]
        samples = [run.memory.samples for run in runs if run.memory]
        gaps = [run.memory.longest_gap for run in runs if run.memory]
        rows.append(
            (engine, str(len(runs)), percent(sum(run.monitor_seconds or 0.0 for run in runs) / wall, 2), percent(max(shares), 2),
             count(sum(samples)), seconds(max(gaps, default=None)))
        )  # fmt: skip
    return table("engine|>runs|>CPU of sampling over wall time|>highest of a run|>samples|>longest gap", rows)


def error_blocks(runs: Iterable[Run]) -> list[Block]:
    """Every run without a result, with all it said; equal errors of one cell once."""
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        if run.status != "ok":
            groups.setdefault((run.cell.key, run.status, run.error), []).append(run)
    blocks: list[Block] = []
    for (_, status, error), found in groups.items():
        rounds = ", ".join("warm-up" if run.warm_up else str(run.round) for run in found)
        blocks += [
            Heading(f"{describe(found[0].cell)}: {status} in round {rounds}", 3),
            Code(error.strip() or "no message"),
        ]
    return blocks


def _cell(view: CellView) -> tuple[str, ...]:
    cell = view.cell
    return cell.engine, cell.level, count(cell.employees), str(cell.years), str(cell.shards), str(cell.threads)


def _status(view: CellView) -> Mark:
    return Mark(view.status, view.status_text)
