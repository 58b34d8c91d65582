"""Hit: one check that noticed a fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from differential.reduction import Verdict
from fixtures.world import World
from properties.faults.bench import Bench
from properties.faults.target import Target


class Check(Protocol):
    """What a reduction repeats on candidate worlds."""

    @property
    def many(self) -> bool: ...

    def __call__(self, worlds: Sequence[World]) -> Sequence[Verdict]: ...


@dataclass(frozen=True)
class Hit:
    """One check that noticed.

    detector: its id: D1 to D5, I.., M.., L or E. status: `refused` where a comparison came to no verdict. text: what it said, in
    one line. world, check: where it showed, and how to see it again on other worlds; None where there is no world to reduce.
    """

    detector: str
    status: Literal["fail", "refused"]
    text: str
    world: World | None = None
    check: Check | None = None

    @property
    def family(self) -> str:
        """D, I, M, L or E."""
        return self.detector[0]


class Detector(Protocol):
    """A way to look for a fault: tries a target and says which checks noticed, as soon as each does."""

    def __call__(self, target: Target, bench: Bench) -> Sequence[Hit]: ...


Stage = Callable[[Target, Bench], list[Hit]]
