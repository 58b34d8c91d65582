"""Judges: one check of the catalogue, held to candidate worlds; what reductions and replays of a finding repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from differential.reduction import Observed, Verdict, WorldCheck
from differential.reduction.check import takes_many
from differential.side import Side
from fixtures.world import World
from properties.changes import describe_change
from properties.check import Check, Violation
from properties.invariants import judge
from properties.invariants.catalogue import invariants
from properties.invariants.schema import CHECK as SCHEMA
from properties.relations.catalogue import RELATIONS
from properties.relations.relation import PathRelation, Relation, TwinRelation
from properties.relations.run import clause_text, run_relations


class UnjudgedError(Exception):
    """Worlds that a check cannot be held to, such as a relation whose second run does not prove its path."""


class Judge(Protocol):
    """One check.

    entry: its entry in the catalogue. many: violations lie in single worlds of one pass, so that it takes many. oracle: the oracle
    can be held to it as well.
    """

    @property
    def entry(self) -> Check: ...

    @property
    def many(self) -> bool: ...

    @property
    def oracle(self) -> bool: ...

    def violations(self, side: Side, worlds: Sequence[World], timeout: float | None) -> list[Violation]:
        """Run the worlds and say where the check does not hold; raises what the engine raises, or UnjudgedError."""
        ...

    def narrowed(self, clause: str) -> Judge:
        """The judge of this clause alone, where that saves runs; else itself."""
        ...

    def formula(self, clause: str) -> str | None:
        """The formula of a clause as the report prints it; None for one that the check does not have."""
        ...

    def changes(self, world: World, clause: str) -> list[str]:
        """What the other runs of the check changed about the world, as lines for people; empty for a check of one run."""
        ...


@dataclass(frozen=True)
class InvariantJudge:
    """An invariant of one run: the side runs all worlds in one pass, and this check alone is judged."""

    entry: Check
    many: bool = True
    oracle: bool = True

    def violations(self, side: Side, worlds: Sequence[World], timeout: float | None) -> list[Violation]:
        return judge(side.run(worlds, timeout=timeout), worlds, ids=(self.entry.id,))

    def narrowed(self, clause: str) -> Judge:  # noqa: ARG002 - its clauses are one query
        return self

    def formula(self, clause: str) -> str | None:
        return self.entry.clauses.get(clause)

    def changes(self, world: World, clause: str) -> list[str]:  # noqa: ARG002 - there is one run
        return []


@dataclass(frozen=True)
class RelationJudge:
    """A metamorphic relation: worlds and twins go through the side's engine, plainly or the ways that the relation names."""

    relation: Relation
    many: bool = True

    @property
    def entry(self) -> Check:
        return self.relation.check

    @property
    def oracle(self) -> bool:
        return isinstance(self.relation, TwinRelation)

    def violations(self, side: Side, worlds: Sequence[World], timeout: float | None) -> list[Violation]:
        (outcome,) = run_relations(side.engine, worlds, [self.relation], inputs=False, timeout=timeout)
        if outcome.status in ("refused", "skipped"):
            raise UnjudgedError(
                "; ".join(outcome.refused + outcome.skipped) or f"{self.entry.id} says nothing about it"
            )
        return [broken.violation for broken in outcome.broken]

    def narrowed(self, clause: str) -> Judge:
        if not isinstance(self.relation, PathRelation):
            return self
        ways = tuple(way for way in self.relation.ways if way.name == clause)
        return replace(self, relation=replace(self.relation, ways=ways)) if ways else self

    def formula(self, clause: str) -> str | None:
        try:
            return clause_text(self.relation, clause)
        except KeyError:
            return None

    def changes(self, world: World, clause: str) -> list[str]:
        if isinstance(self.relation, PathRelation):
            return [f"the same world, run another way: {clause}"]
        twins = [twin for twin in self.relation.twins(world) if twin.world.fingerprint != world.fingerprint]
        meant = [twin for twin in twins if twin.name == clause] or twins
        return [f"{twin.name}: {describe_change(world, twin.world)}" for twin in meant]


@dataclass(frozen=True)
class PropertyCheck(WorldCheck[list[Violation]]):
    """A side held to one check (none: it must only not raise): a callable fit for `reduce_world`.

    subject: the check's id. wanted: the signature that is preferred among the violations of one world.
    """

    side: Side
    judged_by: Judge | None
    subject: str
    wanted: str | None = None
    timeout: float | None = None

    @property
    def many(self) -> bool:
        return takes_many(self.side) and (self.judged_by is None or self.judged_by.many)

    def run(self, worlds: Sequence[World]) -> list[Violation]:
        if self.judged_by is None:
            self.side.run(worlds, timeout=self.timeout)
            return []
        try:
            return self.judged_by.violations(self.side, worlds, self.timeout)
        except UnjudgedError:
            return []

    def judge(self, made: list[Violation], worlds: Sequence[World]) -> list[Verdict]:
        verdicts: list[Verdict] = [None] * len(worlds)
        for one in reversed(wanted_first(made, self.wanted)):
            verdicts[one.world] = Observed(one.signature, one.employee_id, one.year, one.event_type)
        return verdicts


def wanted_first(violations: Sequence[Violation], wanted: str | None) -> list[Violation]:
    """The violations of this signature before the others; otherwise in their order."""
    return sorted(violations, key=lambda violation: violation.signature != wanted)


def judge_of(check_id: str) -> Judge:
    """The judge of a check of the catalogue. Raises KeyError for an id that is not in it."""
    if check_id == SCHEMA.id:  # types belong to the run as a whole
        return InvariantJudge(SCHEMA, many=False)
    for invariant in invariants():
        if invariant.check.id == check_id:
            return InvariantJudge(invariant.check, many=not invariant.whole_run)
    for relation in RELATIONS:
        if relation.check.id == check_id:
            return RelationJudge(relation)
    raise KeyError(f"no check {check_id!r:.40} in the catalogue")
