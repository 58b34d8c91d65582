"""Comparisons as detectors: the cases of differential, with the faulty engine on one side or on both."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from differential.cases import Case, all_cases, border_case
from differential.engines import get_engine
from differential.parity import CaseRun, FailedWorld
from differential.reduction import FailureCheck
from differential.run import capabilities_of
from differential.side import Side
from fixtures.empties import empties
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.faults.bench import Bench, BenchSession, real_census
from properties.faults.hit import Hit, Stage
from properties.faults.target import Target

DETECTORS = {
    "sql_vs_polars": "D1", "oracle": "D1", "threads": "D2", "shards": "D2", "batch": "D2", "levels": "D3", "legacy": "D3",
    "same_seed": "D4", "several_years": "D5",
}  # fmt: skip
"""Which entry of docs/checks.md each parity test is."""
AXIS_WORLDS = 150
FIRST_CHUNKS = 4
_BORDERS = (2_047, 2_048, 2_049)


def plain(target: Target, bench: Bench, *, first: int = 0, last: int | None = None) -> list[Hit]:
    """The faulty engine against the other one, on chunks first..last - 1 of the profile's worlds, until one shows it."""
    found: list[Hit] = []
    for case in _plain_cases(target):
        run = CaseRun(case, _session(target, bench))
        position = first
        while (last is None or position < last) and (worlds := bench.chunk(position)):
            batch = [real_census(), *worlds] if position == 0 else worlds
            parts = [batch] if position else [batch, *([world] for world in empties())]
            if not all(run.feed(part, 0) for part in parts):
                break
            position += 1
        found += _hits(run, bench)
    return found


def axis(target: Target, bench: Bench, case: Case, worlds: int = AXIS_WORLDS) -> list[Hit]:
    """One case over its share of the worlds: two thirds for the plain pair, the rest for the combinations."""
    run = CaseRun(case, _session(target, bench))
    some = bench.axis_worlds(worlds)
    for pair in range(len(case.pairs)):
        share = some if len(case.pairs) == 1 else some[pair :: len(case.pairs)] if pair else some[: 2 * len(some) // 3]
        if not run.feed(share, pair):
            break
    return _hits(run, bench)


def borders(target: Target, bench: Bench) -> list[Hit]:
    """The faulty engine against the other one on large censuses: at the borders of batches, and on 10 000 people."""
    case = border_case((target.other, target.spec))
    run = CaseRun(case, _session(target, bench))
    for rows in (*_BORDERS, 10_000):
        if not run.feed([World(generate(rows, seed=rows), Scenario(end_year=2026))], 0):
            break
    return _hits(run, bench)


def axis_cases(target: Target, detectors: Collection[str]) -> list[Case]:
    """The cases of these detectors that have the faulty engine on both sides."""
    known = {target.spec: capabilities_of(get_engine(target.spec))}
    cases = [case for case in all_cases((target.spec,), known) if case.test not in ("sql_vs_polars", "oracle")]
    return [case for case in cases if DETECTORS[case.test] in detectors]


def stages_of_axes(target: Target, detectors: Collection[str]) -> list[tuple[str, Stage]]:
    """Each case of these detectors (D2 to D5) as a stage of its own, the cheap ones first."""
    order = ("levels", "legacy", "batch", "shards", "several_years", "same_seed", "threads")

    def cost(case: Case) -> tuple[bool, int]:
        return case.name.endswith(("resume", "batch_size")), order.index(case.test)

    cases = sorted(axis_cases(target, detectors), key=cost)
    return [(f"{case.test}-{case.name}", partial(axis, case=case)) for case in cases]


def _plain_cases(target: Target) -> list[Case]:
    cases = [
        Case("sql_vs_polars", target.id, ((Side(target.other), Side(target.spec)),), "sql_vs_polars", size="worlds")
    ]
    if target.judge:
        sides = ((Side(target.spec), Side(target.judge)),)
        cases.append(Case("oracle", f"{target.id}-oracle", sides, "oracle", size="worlds"))
    return cases


def _session(target: Target, bench: Bench) -> BenchSession:
    # a fault of the harness is in every run, so that no clean run may stand for one
    clean = "" if target.spec in ("sql", "polars", "oracle") else target.other
    return bench.session((target.other, target.spec), clean)


def _hits(run: CaseRun, bench: Bench) -> list[Hit]:
    detector, record = DETECTORS[run.case.test], run.record
    if record.status in ("refused", "unproven"):
        return [Hit(detector, "refused", f"{record.name}: {record.reason.splitlines()[0]}")]
    if not run.failures:
        return [Hit(detector, "fail", f"{record.name}: {record.reason}")] if record.status == "fail" else []
    smallest = min(run.failures, key=lambda failed: (failed.error is not None, failed.size))
    return [Hit(detector, "fail", _said(run, smallest), smallest.world, _check(run, smallest, bench))]


def _said(run: CaseRun, failed: FailedWorld) -> str:
    if failed.error:
        return f"{run.record.name}: raised {failed.error.splitlines()[0][:160]}"
    return f"{run.record.name}: {run.record.failed} of {run.record.worlds} worlds differ"


def _check(run: CaseRun, failed: FailedWorld, bench: Bench) -> FailureCheck:
    return FailureCheck(failed.left, failed.right, run.case.test, timeout=bench.timeout)
