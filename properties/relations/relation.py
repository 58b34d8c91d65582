"""What a metamorphic relation is: twins of a world, or other ways to run the same world, and what must hold between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from differential.run import Run, WorldResult
from fixtures.world import World
from properties.check import Check
from properties.relations.judgement import Judgement

Size = Literal["small", "large"]
"""`large` adds the worlds of tens of thousands of people, for profiles ci and nightly."""


@dataclass(frozen=True)
class Twin:
    """One more world that a relation needs, run plainly. name: what was changed, unique among the twins of one world."""

    name: str
    world: World


@dataclass(frozen=True)
class Family:
    """A world with its twins, and what the engine made of each.

    worlds, results: by the twin's name; a twin equal to the world itself is left out. world, result: the base.
    """

    world: World
    result: WorldResult
    worlds: Mapping[str, World]
    results: Mapping[str, WorldResult]


def no_inputs(_: Size) -> Sequence[World]:
    """For relations that need no worlds of their own."""
    return ()


@dataclass(frozen=True)
class TwinRelation:
    """A relation between a world and changed copies of it.

    Everything follows from the world alone, so that a reduced world shows the same failure and a replay needs nothing else.
    twins: the changed copies, none where the relation says nothing about the world. judge: holds the clauses of `check`
    to the results. inputs: worlds of its own, beside those given and designed.busy, without limits of years that they do not
    simulate. alone: worlds that go through the engine alone, as does each of their twins.
    """

    check: Check
    twins: Callable[[World], Sequence[Twin]]
    judge: Callable[[Family, Judgement], None]
    inputs: Callable[[Size], Sequence[World]] = no_inputs
    alone: Callable[[World], bool] = lambda _: False


How = Callable[[str, Sequence[World], float | None], Run]
"""Runs worlds in some way: the engine's SPEC, the worlds, a time limit in seconds for attached engines."""


@dataclass(frozen=True)
class Way:
    """Two ways to run the same worlds, whose results must be equal.

    name: the clause. base, how: the two ways. claim: key of differential.comparison.CLAIMS that the proofs must bear.
    needs: the axes of Capabilities without which the engine cannot go this way: a field's name, `levels:NAME`, or `run_years`
    for the method. of: the world that is run in place of a base world; None where there is nothing to say.
    """

    name: str
    claim: str
    base: How
    how: How
    needs: tuple[str, ...] = ()
    of: Callable[[World], World | None] = field(default=lambda world: world)


@dataclass(frozen=True)
class PathRelation:
    """A relation between runs of the same world; proofs show that the path really differed, or the result is refused."""

    check: Check
    ways: tuple[Way, ...]


Relation = TwinRelation | PathRelation

COMPLETES, READABLE = "completes", "readable"
GENERAL_CLAUSES = {
    COMPLETES: "every run returns a result",
    READABLE: "both tables have the columns and types of docs/simulation.md, section 6, and values that can be read",
}
"""What every relation needs before its own clauses can be held at all; violations name these clauses as well."""
