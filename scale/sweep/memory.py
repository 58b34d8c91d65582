"""Memory: the absolute limits, growth with the number of employees, spread over repeated runs, and leaks."""

from __future__ import annotations

from collections.abc import Sequence

from scale.policy import GB, Policy
from scale.records import Cell, Check, Leak, Run
from scale.statistics import fit_growth, judge_leak, summarise
from scale.sweep.measured import main_line, peaks
from scale.sweep.question import Question

PEAK = Question(
    "peak", "Peak memory is below the limit", "memory", "Process the people in shards, or keep fewer copies."
)
PEAK_50000 = Question(
    "peak at 50 000",
    "Peak memory at 50 000 employees is below the limit",
    "memory",
    "Process the people in shards, or keep fewer copies.",
)
GROWTH = Question(
    "memory growth",
    "Memory grows slowly with the employees",
    "memory",
    "Look at what is kept per person between the years.",
)
SPREAD = Question(
    "memory CV",
    "Repeated runs take the same memory",
    "memory",
    "Look for caches that fill by chance, and for what is spilled to disk.",
)
LEAK = Question(
    "leak",
    "Repeated runs in one process give their memory back",
    "memory",
    "Look for what outlives a run: caches, connections, registered tables.",
)
_AT = 50_000
_Runs = dict[Cell, list[Run]]


def memory_checks(engine: str, runs: _Runs, leaks: Sequence[Leak], policy: Policy) -> list[Check]:
    """All checks of one engine's memory, from its counted runs."""
    known = {cell: values for cell, taken in runs.items() if (values := peaks(taken))}
    highest = {cell: max(values) for cell, values in known.items()}
    at = {cell: peak for cell, peak in highest.items() if cell.employees == _AT}
    return [
        _below(PEAK, engine, highest, policy.memory.peak_below_gb, "Run the sweep."),
        _below(
            PEAK_50000, engine, at, policy.memory.peak_at_most_gb_at_50000, "Run the scenario `series` or `matrix`."
        ),
        _growth(engine, known, policy),
        _spread(engine, known, policy),
        _leak(engine, leaks, policy),
    ]


def _below(question: Question, engine: str, highest: dict[Cell, float], limit: float, advice: str) -> Check:
    if not highest:
        return question.missing(engine, "no such run tells its memory", advice)
    cell = max(highest, key=lambda one: highest[one])
    told = f"{highest[cell] / GB:.2f} GB in {cell.key}; limit {limit:g} GB"
    return question.answer(engine, "pass" if highest[cell] < limit * GB else "fail", told)


def _growth(engine: str, known: dict[Cell, list[float]], policy: Policy) -> Check:
    line = main_line(known, "employees")
    if line is None:
        return GROWTH.missing(engine, "no two sizes with all else equal", "Run the scenario `series`.")
    found = fit_growth({cell.employees: known[cell] for cell in line}, policy)
    return GROWTH.answer(engine, found.verdict, found.reason)


def _spread(engine: str, known: dict[Cell, list[float]], policy: Policy) -> Check:
    """The widest coefficient of variation of the peak."""
    spreads = [
        (summary.cv, cell.key)
        for cell, values in known.items()
        if len(values) >= policy.sufficiency.runs_minimum and (summary := summarise(values)).cv is not None
    ]
    if not spreads:
        return SPREAD.missing(engine, f"no cell has {policy.sufficiency.runs_minimum} runs", "Take --runs 3 or more.")
    cv, key = max((cv or 0.0, key) for cv, key in spreads)
    limit = policy.memory.cv_below
    return SPREAD.answer(engine, "pass" if cv < limit else "fail", f"at most {cv:.1%} in {key}; limit {limit:.0%}")


def _leak(engine: str, leaks: Sequence[Leak], policy: Policy) -> Check:
    leak = next((leak for leak in leaks if leak.cell.engine == engine), None)
    if leak is None:
        return LEAK.missing(engine, "no repeated runs in one process", "Run the sweep without --no-leak-check.")
    if leak.status != "ok":
        reason = next((line for line in reversed(leak.error.strip().splitlines()) if line.strip()), "")
        return LEAK.answer(
            engine,
            "timeout" if leak.status == "timeout" else "fail",
            f"{leak.status} after {len(leak.after)} runs: {reason:.200}",
        )
    found = judge_leak(leak.after, policy)
    return LEAK.answer(engine, found.verdict, found.reason)
