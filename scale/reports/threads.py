"""Workloads that were measured on several numbers of threads, with their measured efficiency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scale.policy import Policy
from scale.reports.cells import CellView
from scale.statistics.speedup import Speedup, judge_speedup


@dataclass(frozen=True)
class Workload:
    """Cells that differ in threads alone."""

    engine: str
    level: str
    employees: int
    years: int
    shards: int
    found: Speedup

    @property
    def work(self) -> int:
        return self.employees * self.years


def workloads(views: Sequence[CellView], cores: int, policy: Policy) -> list[Workload]:
    """Workloads with a result on one thread and on more, short before long."""
    groups: dict[tuple[str, str, int, int, int], dict[int, list[float]]] = {}
    for view in views:
        cell, seconds = view.cell, view.values(lambda run: run.seconds)
        if seconds:
            groups.setdefault((cell.engine, cell.level, cell.employees, cell.years, cell.shards), {})[cell.threads] = (
                seconds
            )
    found = [
        Workload(*key, judge_speedup(by_threads, cores, policy))
        for key, by_threads in groups.items()
        if 1 in by_threads and len(by_threads) > 1
    ]
    return sorted(found, key=lambda one: one.work)
