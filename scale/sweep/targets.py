"""Whether every run gave a result, kept to its scenario's targets, and was measured well enough to judge."""

from __future__ import annotations

from collections.abc import Sequence

from scale.policy import GB, Policy
from scale.records import Cell, Check, Run, Sweep
from scale.scenarios import Scenario, catalogue
from scale.statistics import summarise
from scale.status import Verdict
from scale.sweep.measured import middle, peaks, seconds
from scale.sweep.question import ALL, Question

_Runs = dict[Cell, list[Run]]

RESULTS = Question(
    "runs",
    "Every run gives a result",
    "sufficiency",
    "See the runs with errors in the report; `python -m scale sweep --employees N --years Y` repeats one cell.",
)
COMPLETE = Question(
    "complete",
    "Every planned run was made, often enough",
    "sufficiency",
    "Go on with the same command and folder; take --runs 3 or more, and a longer --timeout.",
)
TIME_TARGET = Question(
    "time target",
    "Each scenario keeps to its time",
    "regression",
    "Compare with the release before: python -m scale compare --base-checkout DIR.",
)
MEMORY_TARGET = Question(
    "memory target",
    "Each scenario keeps to its memory",
    "memory",
    "Look at which stage holds most: a whole history, or several copies of one table.",
)
TIME_CV = Question(
    "time CV",
    "Repeated runs take the same time",
    "sufficiency",
    "The machine was busy, or the engine's time is not its own: repeat on a quiet machine.",
)
MONITOR = Question(
    "monitor",
    "Watching a run does not change what it costs",
    "sufficiency",
    "Repeat on a machine with a core to spare.",
)
SCALED = Question(
    "scaled",
    "The rows grow with the employees that were asked for",
    "sufficiency",
    "The engine does not simulate the census it is given: look at how it reads it.",
)
_SCALED_WITHIN = 1.2
"""People in the first year over employees asked for may differ by this factor between sizes: hires round, and some have left."""
_JUDGED_SECONDS = 0.5
"""Runs shorter than this vary by what the system does in the meantime; their spread is shown in the cells' table only."""


def run_checks(sweep: Sweep, runs: _Runs, policy: Policy) -> list[Check]:
    """The checks on all engines' runs together, and on each scenario."""
    return [
        _results(sweep),
        _complete(sweep, runs, policy),
        *(_scaled(engine, runs) for engine in sweep.code),
        *(check for engine in sweep.code for check in _targets(engine, sweep, runs)),
        *(_spread(engine, runs, policy) for engine in sweep.code),
        _overhead(runs, policy),
    ]


def _results(sweep: Sweep) -> Check:
    bad = [run for run in sweep.runs if run.status != "ok"]
    if not sweep.runs:
        return RESULTS.missing(ALL, "no run was made", "Run the sweep.")
    if not bad:
        return RESULTS.answer(ALL, "pass", f"{len(sweep.runs)} runs, warm-ups included")
    first = bad[0]
    reason = next((line.strip() for line in reversed(first.error.splitlines()) if line.strip()), "")
    told = f"{len(bad)} of {len(sweep.runs)} runs gave none; first: {first.cell.key}: {first.status}: {reason:.200}"
    return RESULTS.answer(ALL, _gravity(bad, sweep), told)


def _gravity(bad: Sequence[Run], sweep: Sweep) -> Verdict:
    """A run that needs more memory than its target is the engine's fault; one that needs more than there is, the machine's."""
    if any(run.status in ("failed", "refused") for run in bad):
        return "fail"
    if any(run.status == "timeout" for run in bad):
        return "timeout"
    allowed = [_memory_target(run.cell, sweep) for run in bad]
    return "insufficient" if all(target is not None and target > sweep.machine.memory for target in allowed) else "fail"


def _memory_target(cell: Cell, sweep: Sweep) -> float | None:
    """Bytes that the cell's scenarios allow, the least."""
    names = next((names for planned, names in sweep.planned if planned == cell), [])
    targets = [one.target_memory_gb for one in _scenarios(names) if one.target_memory_gb is not None]
    return min(targets) * GB if targets else None


def _scenarios(names: Sequence[str]) -> list[Scenario]:
    return [catalogue()[name] for name in names if name in catalogue()]


def _complete(sweep: Sweep, runs: _Runs, policy: Policy) -> Check:
    done = {(run.cell.key, run.round) for run in sweep.runs if not run.warm_up}
    wanted = [(cell.key, number) for cell, _ in sweep.planned for number in range(sweep.repetitions)]
    absent = [key for key in wanted if key not in done]
    if absent:
        return COMPLETE.answer(
            ALL, "insufficient", f"{len(absent)} of {len(wanted)} runs are not there, {absent[0][0]} among them"
        )
    few = sorted((len(found), cell.key) for cell, found in runs.items() if len(found) < policy.sufficiency.runs_minimum)
    if few:
        least = policy.sufficiency.runs_minimum
        told = f"{len(few)} of {len(runs)} cells have fewer than {least} runs; {few[0][1]} has {few[0][0]}"
        return COMPLETE.answer(ALL, "insufficient", told)
    return COMPLETE.answer(ALL, "pass", f"{len(wanted)} runs of {len(sweep.planned)} cells")


def _scaled(engine: str, runs: _Runs) -> Check:
    """A sweep over one and the same census would look perfectly flat."""
    found = {
        cell: run.rows_by_year[0][1] / cell.employees
        for cell, taken in runs.items()
        for run in taken
        if cell.engine == engine and run.rows_by_year
    }
    if not found:
        return SCALED.missing(engine, "no run tells its rows by year", "Run the sweep.")
    low, high = min(found, key=lambda cell: found[cell]), max(found, key=lambda cell: found[cell])
    told = f"{found[low]:.2f} ({low.key}) to {found[high]:.2f} ({high.key}) people in the first year for each employee"
    fits = found[high] <= _SCALED_WITHIN * found[low]
    return SCALED.answer(engine, "pass" if fits else "fail", told)


def _targets(engine: str, sweep: Sweep, runs: _Runs) -> list[Check]:
    """Time and memory of each scenario that has a target: the median time and the highest peak of its slowest cell."""
    checks = []
    for one in catalogue().values():
        cells = [cell for cell, names in sweep.planned if one.name in names and cell.engine == engine and cell in runs]
        if not cells:
            continue
        if one.target_seconds is not None:
            slowest = max((middle(runs[cell], lambda run: run.seconds) or 0.0, cell.key) for cell in cells)
            checks.append(_against(TIME_TARGET, engine, one.name, *slowest, one.target_seconds, "s"))
        if one.target_memory_gb is not None:
            largest = max((max(peaks(runs[cell]), default=0.0) / GB, cell.key) for cell in cells)
            checks.append(_against(MEMORY_TARGET, engine, one.name, *largest, one.target_memory_gb, "GB"))
    return checks


def _against(question: Question, engine: str, name: str, value: float, key: str, target: float, unit: str) -> Check:
    told = (
        f"{name}: {value:.3g} {unit} of {target:g} {unit}, {target / value:.0f} times less"
        if value
        else f"{name}: no figure"
    )
    verdict: Verdict = "insufficient" if not value else "pass" if value <= target else "fail"
    if verdict == "fail":
        told = f"{name}: {value:.3g} {unit} of {target:g} {unit} in {key}"
    return question.answer(engine, verdict, told)


def _spread(engine: str, runs: _Runs, policy: Policy) -> Check:
    """The widest coefficient of variation of time. A busy machine and a fickle engine look alike, so that it never fails."""
    found = []
    for cell, taken in runs.items():
        values = seconds(taken)
        if cell.engine == engine and len(values) >= policy.sufficiency.runs_minimum:
            summary = summarise(values)
            if summary.median >= _JUDGED_SECONDS:
                found.append((summary.cv or 0.0, cell.key))
    limit = policy.time.cv_below
    if not found:
        told = f"no cell of {_JUDGED_SECONDS:g} s or more has {policy.sufficiency.runs_minimum} runs"
        return TIME_CV.missing(engine, told, "Take larger cells, or more runs.")
    cv, key = max(found)
    return TIME_CV.answer(
        engine, "pass" if cv < limit else "inconclusive", f"at most {cv:.1%} in {key}; limit {limit:.0%}"
    )


def _overhead(runs: _Runs, policy: Policy) -> Check:
    watched = [run for taken in runs.values() for run in taken if run.monitor_seconds is not None and run.seconds]
    if not watched:
        return MONITOR.missing(ALL, "no run tells what sampling took", "Run the sweep.")
    share = sum(run.monitor_seconds or 0.0 for run in watched) / sum(run.seconds or 0.0 for run in watched)
    limit = policy.monitor.overhead_at_most
    told = f"{share:.2%} of the runs' time, over {len(watched)} runs; limit {limit:.0%}"
    return MONITOR.answer(ALL, "pass" if share <= limit else "inconclusive", told)
