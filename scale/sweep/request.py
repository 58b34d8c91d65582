"""What a sweep was asked for, and the order in which its cells run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scale.policy import Policy
from scale.records import Cell
from scale.scenarios import Scenario, product_of, scenario

DEFAULT_CELL_TIMEOUT = 900.0
_ROOM = 2.0
"""A run may take so many times its target before it is ended: slower than the target is a result worth its exact figure."""


@dataclass(frozen=True)
class SweepRequest:
    """runs: repetitions of each cell. timeout: seconds for the whole sweep, None = no limit. leak: repeated runs in one process
    too. memory_limit: bytes at which a run is ended, None = nearly all of the machine's. command: what repeats it."""

    scenarios: tuple[Scenario, ...]
    engines: tuple[str, ...]
    runs: int
    output: Path
    policy: Policy
    command: str
    timeout: float | None = None
    leak: bool = True
    memory_limit: int | None = None
    planned: list[tuple[Cell, list[str]]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "planned", product_of(self.scenarios, self.engines))

    @property
    def cells(self) -> list[Cell]:
        return [cell for cell, _ in self.planned]

    def cell_timeout(self, cell: Cell) -> float:
        """Seconds that one run of the cell may take: twice its tightest target, or 15 minutes."""
        names = dict(self.planned)[cell]
        targets = [one.target_seconds for one in self.scenarios if one.name in names and one.target_seconds]
        return max(60.0, _ROOM * min(targets)) if targets else DEFAULT_CELL_TIMEOUT


def scenarios_named(names: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of those names, each once. Raises UsageError for an unknown one."""
    return tuple(scenario(name) for name in dict.fromkeys(names))


def order_of_round(cells: Sequence[Cell], number: int) -> list[Cell]:
    """The cells in an order of the round's own, the same in every sweep.

    Shuffled, so that the machine's drift over a round meets small and large cells and all engines alike.
    """
    order = list(cells)
    random.Random(f"round {number}").shuffle(order)
    return order
