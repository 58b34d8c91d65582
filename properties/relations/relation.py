"""Relation and Twin: what a metamorphic relation is asked to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from differential.run import WorldResult
from differential.side import History
from differential.variant import Variant
from fixtures.world import World
from properties.check import Check, Violation


@dataclass(frozen=True)
class Twin:
    """One more run that a relation needs: a world, and how it is run. The engine is the one under test."""

    world: World
    variant: Variant = field(default_factory=Variant)
    history: History = "plain"


class Relation(Protocol):
    """A metamorphic relation.

    Everything follows from the world alone (choices from its fingerprint), so that a reduced world shows the same failure
    and a replay needs nothing else.
    """

    check: Check

    def inputs(self) -> Sequence[World]:
        """Worlds of its own, beside the generated ones: such as large populations, or worlds made for one key each."""
        ...

    def twins(self, world: World) -> Sequence[Twin]:
        """The other runs for this world; none where the relation says nothing about it."""
        ...

    def violations(
        self, world: World, result: WorldResult, twins: Sequence[tuple[Twin, WorldResult]]
    ) -> list[Violation]:
        """Where the results do not relate as they must; `world=0` in each. An infeasible world has its reason, no rows."""
        ...
