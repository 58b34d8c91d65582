"""What the pairs say: each cell, the build, memory against the base, and whether both sides left the same tables."""

from __future__ import annotations

from statistics import median

from scale.compare.live import SIDES, Taken
from scale.compare.request import CompareRequest
from scale.records import Cell, Check, ComparedCell, Pairs
from scale.statistics import BuildVerdict, PairVerdict, judge_build, judge_cell
from scale.sweep.question import ALL, Question

BUILD = Question(
    "build",
    "The candidate is not slower than the base",
    "regression",
    "Profile the slower cells on both sides; their stages are in log.jsonl.",
)
MEMORY = Question(
    "S3",
    "Memory is at most a tenth above the base's",
    "regression",
    "Look at what the candidate keeps that the base did not.",
)
RESULTS = Question(
    "same tables",
    "Base and candidate leave the same tables",
    "regression",
    "Run `pytest differential` on the candidate. If other results are meant, say --results-may-differ.",
)
RUNS = Question("runs", "Every run of both sides gives a result", "regression", "See log.jsonl for the whole message.")


def compared_cell(cell: Cell, first: Taken, second: Taken | None, request: CompareRequest) -> ComparedCell:
    """The record of one cell."""
    taken = [first, *([second] if second else [])]
    failed = next((one.failed for one in taken if one.failed), None)
    verdict = None if failed else _judge(first, second, request)
    note = (
        f"{failed[0]}: {failed[1].status}: {failed[1].error.strip():.300}"
        if failed
        else verdict.reason
        if verdict
        else ""
    )
    return ComparedCell(
        cell=cell,
        initial=first.pairs,
        confirmation=second.pairs if second else None,
        ratio=verdict.ratio if verdict else None,
        p_value=verdict.p_value if verdict else None,
        verdict="failed" if verdict is None else verdict.change,
        same_results=_same(taken),
        memory=_memory(taken),
        note=note,
    )


def _judge(first: Taken, second: Taken | None, request: CompareRequest) -> PairVerdict:
    initial = (first.pairs.base, first.pairs.candidate)
    confirmation = (second.pairs.base, second.pairs.candidate) if second else None
    return judge_cell(initial, confirmation, request.policy)


def _same(taken: list[Taken]) -> bool | None:
    """Whether all runs of both sides left the same tables; None where no two hashes are there."""
    base, candidate = (
        {tuple(sorted(run.hashes.items())) for one in taken for run in one.of(side) if run.hashes} for side in SIDES
    )
    return None if not base or not candidate else len(base | candidate) == 1


def _memory(taken: list[Taken]) -> Pairs | None:
    base, candidate = (
        [float(run.memory.peak) for one in taken for run in one.of(side) if run.memory] for side in SIDES
    )
    return Pairs(base=base, candidate=candidate) if base and candidate else None


def judge(cells: list[ComparedCell], request: CompareRequest) -> tuple[float | None, list[Check]]:
    """The geometric mean over cells, and the checks."""
    build = judge_build({one.cell.key: _verdict(one) for one in cells}, request.policy)
    return build.geometric_mean, [_runs(cells), _build(build), _s3(cells, request), _results(cells, request)]


def _verdict(one: ComparedCell) -> PairVerdict:
    if one.verdict == "failed":
        return PairVerdict(None, None, None, "insufficient", "insufficient", one.note)
    difference = None if one.ratio is None else one.ratio - 1
    verdict = "fail" if one.verdict == "slower" else "insufficient" if one.verdict == "insufficient" else "pass"
    return PairVerdict(one.ratio, one.p_value, difference, one.verdict, verdict, one.note)  # type: ignore[arg-type]


def _runs(cells: list[ComparedCell]) -> Check:
    failed = [one for one in cells if one.verdict == "failed"]
    if not cells:
        return RUNS.missing(ALL, "nothing was compared", "Give --employees, or leave the default cells.")
    if not failed:
        return RUNS.answer(ALL, "pass", f"{len(cells)} cells")
    verdict = "fail" if any(one.note.startswith("candidate") for one in failed) else "insufficient"
    return RUNS.answer(ALL, "fail" if verdict == "fail" else "insufficient", f"{failed[0].cell.key}: {failed[0].note}")


def _build(build: BuildVerdict) -> Check:
    warnings = "".join(f"; warning: {warning}" for warning in build.warnings)
    return BUILD.answer(ALL, build.verdict, build.reason + warnings)


def _s3(cells: list[ComparedCell], request: CompareRequest) -> Check:
    found = [
        (median(one.memory.candidate) / median(one.memory.base), one.cell.key)
        for one in cells
        if one.memory is not None
    ]
    if not found:
        return MEMORY.missing(ALL, "no cell tells the memory of both sides", "Repeat the comparison.")
    ratio, key = max(found)
    limit = request.policy.memory.baseline_ratio_at_most
    return MEMORY.answer(
        ALL, "pass" if ratio <= limit else "fail", f"at most {ratio:.3f} times, in {key}; limit {limit:g}"
    )


def _results(cells: list[ComparedCell], request: CompareRequest) -> Check:
    differing = [one.cell.key for one in cells if one.same_results is False]
    if differing and request.results_may_differ:
        return RESULTS.answer(
            ALL, "info", f"{len(differing)} cells differ, as was announced; {differing[0]} among them"
        )
    if differing:
        return RESULTS.answer(
            ALL, "fail", f"{len(differing)} cells differ, {differing[0]} among them: their times say nothing"
        )
    known = sum(one.same_results is True for one in cells)
    if not known:
        return RESULTS.missing(
            ALL, "no cell has hashes of both sides", "Take smaller cells too: large tables are not hashed."
        )
    return RESULTS.answer(ALL, "pass", f"{known} of {len(cells)} cells: equal in every run")
