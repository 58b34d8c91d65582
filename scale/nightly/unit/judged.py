"""What a judge makes of a batch: the worlds that were judged, and those that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from differential.pool import Chunk
from differential.reduction import Budget
from differential.repro import Finding
from differential.run import Run, WorldResult
from fixtures.world import World
from scale.nightly.unit.source import Batch

MOST_RAISED = 3
"""Passes of one batch that may raise: each costs about twice the batch to find the world that makes an engine raise."""


@dataclass(frozen=True)
class Suspect:
    """A world that failed once.

    test, engines, signature: what tells it apart. finding: everything known about it, made when it is needed. reduce: makes its
    bundle, under a budget; the path. again: judges the batch that it was met in once more; how it fails then, None if it passes.
    results: the tables as they were, by the name of the side. hung: an engine gave no result in time. chunk: where it was drawn.
    """

    test: str
    engines: tuple[str, ...]
    signature: str
    world: World
    finding: Callable[[], Finding]
    reduce: Callable[[Budget], Path]
    again: Callable[[], Finding | None]
    results: tuple[tuple[str, WorldResult], ...] = ()
    hung: bool = False
    chunk: Chunk | None = None


@dataclass
class Judged:
    """What came of a batch.

    worlds, employees: that were judged. runs: by which labels are counted, with their worlds. refused: why nothing can be said.
    left: worlds that were not judged, since others made an engine raise.
    """

    worlds: int = 0
    employees: int = 0
    suspects: list[Suspect] = field(default_factory=list)
    runs: list[tuple[Sequence[World], Run]] = field(default_factory=list)
    refused: str = ""
    left: int = 0


class Judge(Protocol):
    """most: worlds that are judged together, at the most. first: at first, while it is not known how long they take.

    own: inputs of its own, which no drawn world is like; each batch has its turns once.
    """

    most: int
    first: int

    @property
    def own(self) -> Sequence[Batch]: ...

    @property
    def turns(self) -> int:
        """Batches until all that is to be judged had one: engines, or pairs of sides."""
        ...

    def judge(self, batch: Batch, seconds: float) -> Judged:
        """Judge a batch. seconds: that are left of the budget."""
        ...


def judge_all(worlds: Sequence[World], judged: Judged, judge: Callable[[list[World]], tuple[set[int], bool]]) -> None:
    """Judge worlds, and those that an engine that raised left out once more, a few times.

    judge: takes worlds; returns which of their censuses (by id) it is done with, and whether it makes sense to go on with others.
    """
    left = list(worlds)
    for _ in range(MOST_RAISED):
        done, go_on = judge(left)
        left = [world for world in left if id(world.census) not in done]
        if not left or not go_on or judged.refused:
            break
    judged.left = 0 if judged.refused else len(left)
