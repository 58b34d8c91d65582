"""Trials: a planted regression is measured anew each time as the sweep or the comparison would, and either found or not.

Each trial states what has to happen. Controls are trials too: the same engine without a regression has to pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scale.measuring import measure, measure_leak
from scale.policy import Policy
from scale.records import Cell, Run
from scale.statistics import Sides, decided, fit_power, judge_cell, judge_leak, judge_speedup

MODULE = "scale.power.planted"
SIZES = (1000, 2000, 5000, 10_000, 20_000, 50_000)
PAIR_CELL = {"employees": 5000, "years": 3}
THREADS_CELL = {"employees": 50_000, "years": 3}


@dataclass(frozen=True)
class Outcome:
    """found: the regression was found (of a control: nothing was). told: what was measured. timings: recorded seconds, by group."""

    found: bool
    told: str
    timings: dict[str, list[float]]


@dataclass(frozen=True)
class Trial:
    """name; what has to happen, in words; and the measurement, given a folder and a policy."""

    name: str
    expected: str
    run: Callable[[Path, Policy], Outcome]


class TrialError(RuntimeError):
    """A run that was to give a time gave none."""


def _taken(engine: str, folder: Path, number: int = 0, **cell: int) -> Run:
    return measure(Cell(engine=f"{MODULE}:{engine}", **cell), round=number, timeout=600, folder=folder)


def _seconds(run: Run) -> float:
    if run.status != "ok" or run.seconds is None:
        raise TrialError(f"{run.cell.key}: {run.status}: {run.error}")
    return run.seconds


def _exponent(engine: str, wanted: str) -> Callable[[Path, Policy], Outcome]:
    """Three runs of each size in turn; one simulated year, so that a trial stays short."""

    def run(folder: Path, policy: Policy) -> Outcome:
        points: dict[float, list[float]] = {float(size): [] for size in SIZES}
        for _ in range(policy.sufficiency.runs_minimum):
            for size in SIZES:
                points[size].append(_seconds(_taken(engine, folder, employees=size, years=1)))
        fit = fit_power(points, policy)
        found = fit.verdict == wanted or (wanted == "pass" and fit.verdict != "fail")
        return Outcome(found, f"{fit.verdict}: {fit.reason}", {f"{size:g}": values for size, values in points.items()})

    return run


def _pairs(engine: str, count: int, folder: Path) -> Sides:
    base: list[float] = []
    candidate: list[float] = []
    sides = [("clean", base), (engine, candidate)]
    for number in range(count):
        for name, taken in sides if number % 2 == 0 else reversed(sides):
            taken.append(_seconds(_taken(name, folder, number, **PAIR_CELL)))
    return base, candidate


def _compared(engine: str, wanted: str) -> Callable[[Path, Policy], Outcome]:
    """First pairs, and pairs of their own where they look different, as `compare` takes them."""

    def run(folder: Path, policy: Policy) -> Outcome:
        first, second = decided(lambda count: _pairs(engine, count, folder), policy)
        verdict = judge_cell(first, second, policy)
        timings = {
            "base": first[0] + (second[0] if second else []),
            "candidate": first[1] + (second[1] if second else []),
        }
        return Outcome((verdict.change == "slower") == (wanted == "slower"), verdict.reason, timings)

    return run


def _leaking(engine: str, wanted: str) -> Callable[[Path, Policy], Outcome]:
    def run(folder: Path, policy: Policy) -> Outcome:
        cell = Cell(engine=f"{MODULE}:{engine}", employees=2000, years=3)
        repeats = policy.memory.leak_warm_up_runs + policy.memory.leak_runs
        after = [float(held) for held in measure_leak(cell, repeats=repeats, timeout=600, folder=folder).after]
        found = judge_leak(after, policy)
        return Outcome(
            (found.verdict == "fail") == (wanted == "fail"), f"{found.verdict}: {found.reason}", {"after": after}
        )

    return run


def _memory_peak(folder: Path, policy: Policy) -> Outcome:
    """S3: the peak of one run against one of the base."""
    base, candidate = (_taken(name, folder, **PAIR_CELL) for name in ("clean", "memory_peak"))
    if base.memory is None or candidate.memory is None:
        raise TrialError(f"no memory: {base.error or candidate.error}")
    ratio, sampled = candidate.memory.peak / base.memory.peak, candidate.memory.sampled_peak / base.memory.sampled_peak
    limit = policy.memory.baseline_ratio_at_most
    told = f"{ratio:.2f} times the base's peak; by samples alone {sampled:.2f}; limit {limit:g}"
    return Outcome(
        ratio > limit,
        told,
        {"peak": [float(base.memory.peak), float(candidate.memory.peak)], "by samples": [float(sampled > limit)]},
    )


def _refused(engine: str, threads: int) -> Callable[[Path, Policy], Outcome]:
    def run(folder: Path, _: Policy) -> Outcome:
        taken = _taken(engine, folder, **PAIR_CELL, threads=threads)
        return Outcome(taken.status == "refused", f"{taken.status}: {taken.error}", {})

    return run


def _threads(engine: str, wanted: str) -> Callable[[Path, Policy], Outcome]:
    def run(folder: Path, policy: Policy) -> Outcome:
        taken: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(policy.sufficiency.runs_minimum):
            for threads, values in taken.items():
                values.append(_seconds(_taken(engine, folder, **THREADS_CELL, threads=threads)))
        speedup = judge_speedup(taken, 2, policy)
        told = f"{speedup.verdict}: {speedup.reason}; {median(taken[1]):.2f} s and {median(taken[2]):.2f} s"
        return Outcome(
            speedup.verdict == wanted, told, {f"{threads} threads": values for threads, values in taken.items()}
        )

    return run


TRIALS = {
    trial.name: trial
    for trial in (
        Trial("x29", "the exponent fails", _exponent("x29", "fail")),
        Trial("clean exponent", "the exponent does not fail", _exponent("clean", "pass")),
        Trial("slower", "a slowdown of 10 % is confirmed", _compared("slower", "slower")),
        Trial("clean pairs", "the same engine is not called slower", _compared("clean", "not slower")),
        Trial("leak", "5 MB a run are called a leak", _leaking("leak", "fail")),
        Trial("clean leak", "no leak is called", _leaking("clean", "pass")),
        Trial("memory peak", "600 MB for 200 ms are above S3's limit", _memory_peak),
        Trial("dropped year", "the run is refused", _refused("dropped_year", 1)),
        Trial("one thread", "the run is refused", _refused("one_thread", 2)),
        Trial("one thread, hidden", "thread efficiency fails", _threads("one_thread_hidden", "fail")),
        Trial("clean threads", "thread efficiency passes", _threads("clean", "pass")),
    )
}
