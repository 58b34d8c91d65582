"""RelationOutcome: what came of one relation on one engine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fixtures.world import World
from properties.check import Violation
from properties.relations.relation import GENERAL_CLAUSES, Relation


@dataclass(frozen=True)
class Broken:
    """A world on which a relation does not hold, without limits of years that it does not simulate.

    `violation.world` is its index in the worlds given; designed.busy and the relation's own inputs are counted on from there.
    """

    world: World
    violation: Violation


@dataclass
class RelationOutcome:
    """What came of one relation.

    worlds: judged. held: how often each clause had something to hold. broken: the first violation of each clause on each world.
    skipped: what was not done and why. refused: comparisons that prove nothing. unjudged: worlds left out after another had
    made the engine raise. seconds: of this relation alone: making twins, judging, and its own ways; passes are shared.
    """

    relation: str
    worlds: int = 0
    held: Counter[str] = field(default_factory=Counter)
    broken: list[Broken] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unjudged: int = 0
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """`fail`, `refused`, `pass` or, where nothing was held, `skipped`; a failure weighs more than a refusal."""
        if self.broken:
            return "fail"
        if self.refused:
            return "refused"
        return "pass" if self.held else "skipped"

    def note(self, world: World, violation: Violation) -> None:
        """Keep the first violation of each clause on each world."""
        known = {(broken.violation.world, broken.violation.clause) for broken in self.broken}
        if (violation.world, violation.clause) not in known:
            self.broken.append(Broken(world, violation))

    def add(self, more: RelationOutcome) -> None:
        """Take in what came of the same relation on other worlds."""
        self.worlds += more.worlds
        self.held += more.held
        self.broken += more.broken
        self.refused += more.refused
        self.unjudged += more.unjudged
        self.seconds += more.seconds
        for why in more.skipped:
            self.skip(why)

    def skip(self, why: str) -> None:
        """Say once what was not done."""
        if why not in self.skipped:
            self.skipped.append(why)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the seconds of a block."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - started


def clause_text(relation: Relation, clause: str) -> str:
    """The formula of a clause that a violation names."""
    return {**GENERAL_CLAUSES, **relation.check.clauses}[clause]
