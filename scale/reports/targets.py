"""What the scenarios of a sweep may take. The judgement is the checks', not made here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scale.policy import GB
from scale.reports.cells import CellView
from scale.scenarios import catalogue


@dataclass(frozen=True)
class Target:
    """What one run of a scenario's cell may take at most: seconds, and bytes of memory; None = only measured."""

    scenario: str
    view: CellView
    seconds: float | None
    memory: float | None

    @property
    def employees(self) -> int:
        return self.view.cell.employees


def targets(views: Sequence[CellView]) -> list[Target]:
    """The targets of the cells, in the catalogue's order; scenarios that were made up on the command line have none."""
    found = [
        Target(name, view, one.target_seconds, None if one.target_memory_gb is None else one.target_memory_gb * GB)
        for name, one in catalogue().items()
        for view in views
        if name in view.scenarios
    ]
    return [target for target in found if target.seconds is not None or target.memory is not None]


def beside_series(found: Sequence[Target], series: Sequence[CellView]) -> list[Target]:
    """The targets to draw over a series of sizes: one for each scenario that simulates the same years."""
    years = {view.cell.years for view in series}
    by_scenario: dict[str, Target] = {}
    for target in found:
        if target.view.cell.years in years:
            by_scenario.setdefault(target.scenario, target)
    return list(by_scenario.values())
