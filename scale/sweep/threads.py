"""Thread efficiency from measured times with one thread and with more, on the cores that there are."""

from __future__ import annotations

from scale.policy import Policy
from scale.records import Cell, Check, Machine, Run
from scale.statistics import Speedup, judge_speedup
from scale.sweep.measured import lines, seconds
from scale.sweep.question import Question

EFFICIENCY = Question(
    "thread efficiency",
    "More threads bring a matching speed-up",
    "threads",
    "Look at the stages: one that takes the same time with more threads is serial.",
)


def thread_checks(engine: str, runs: dict[Cell, list[Run]], machine: Machine, policy: Policy) -> list[Check]:
    """Of one engine's runs, on the largest workload: small ones are mostly what no thread shares."""
    found = speedup_of(runs, machine, policy)
    if found is None:
        told = "no workload was run with several numbers of threads"
        return [EFFICIENCY.missing(engine, told, "Run the scenario `threading`.")]
    where, speedup = found
    return [EFFICIENCY.answer(engine, speedup.verdict, f"{where}: {speedup.reason}")]


def speedup_of(runs: dict[Cell, list[Run]], machine: Machine, policy: Policy) -> tuple[str, Speedup] | None:
    """The largest workload with several thread counts, in words, and what was found on it."""
    found = lines([cell for cell in runs if cell.level == "high"], "threads")
    if not found:
        return None
    where, line = max(found.items(), key=lambda item: (item[1][0].employees * item[1][0].years, -item[1][0].shards))
    return where, judge_speedup({cell.threads: seconds(runs[cell]) for cell in line}, machine.cores, policy)
