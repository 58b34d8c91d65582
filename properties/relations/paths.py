"""Holding a path relation: both ways over the same worlds, the proofs first, then an exact comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from differential.comparison import CLAIMS, ClaimOutcome, ComparisonError, check_claim, compare_runs
from differential.run import Run, RunError
from differential.side import UnsuitableWorldsError
from differential.variant import VariantError
from fixtures.world import World
from properties.check import Violation
from properties.relations.judgement import difference
from properties.relations.outcome import RelationOutcome
from properties.relations.passes import Raised, has_axis, run_all
from properties.relations.relation import COMPLETES, How, PathRelation, Way
from properties.relations.ways import NoPastError, with_own_name


@dataclass(frozen=True)
class _Pair:
    """What the two ways made of the same worlds."""

    worlds: Sequence[World]
    base: Run
    other: Run


class Paths:
    """The path relations of one engine over the same worlds. Runs that several ways start from are done once."""

    def __init__(self, engine: str, worlds: Sequence[tuple[int, World]], timeout: float | None) -> None:
        self.engine, self.worlds, self.timeout = engine, worlds, timeout
        self._bases: dict[tuple[How, tuple[str, ...]], Run] = {}

    def hold(self, relation: PathRelation, way: Way, outcome: RelationOutcome) -> None:
        """One way of a relation; what it finds, or why it says nothing, goes into the outcome."""
        missing = [axis for axis in way.needs if not has_axis(self.engine, axis)]
        if missing:
            outcome.skip(f"{way.name}: {self.engine} has no {missing[0].replace('_', ' ')}")
            return
        chosen = self._chosen(way)
        if not chosen:
            outcome.skip(f"{way.name}: no world it says something about")
            return
        given = {world.fingerprint: item for world, item in chosen}
        for part in run_all(lambda worlds: self._pair(way, worlds), [world for world, _ in chosen]):
            if isinstance(part, Raised):
                index, world = given[part.world.fingerprint]
                message = f"{way.name}: {part.message}"
                outcome.note(world, Violation(relation.check.id, COMPLETES, index, message, "a result"))
            elif isinstance(part[1], str):
                outcome.refused.append(f"{way.name}: {part[1]}")
            else:
                _judge(relation, way, part[1], given, outcome)

    def _chosen(self, way: Way) -> list[tuple[World, tuple[int, World]]]:
        """The worlds of this way under names of their own, each with the world it was made of and that one's index.

        Of equal ones the first is taken: a database cannot hold two.
        """
        chosen: dict[str, tuple[World, tuple[int, World]]] = {}
        for index, world in self.worlds:
            taken = way.of(world)
            if taken is not None:
                named = with_own_name(taken)
                chosen.setdefault(named.fingerprint, (named, (index, world)))
        return list(chosen.values())

    def _pair(self, way: Way, worlds: Sequence[World]) -> _Pair | str:
        """Both runs, over the worlds that both ways can take; or why they prove nothing."""
        try:
            return _Pair(worlds, self._base(way, worlds), way.how(self.engine, worlds, self.timeout))
        except UnsuitableWorldsError as error:
            kept = [world for index, world in enumerate(worlds) if index not in error.indexes]
            return self._pair(way, kept) if kept else str(error)
        except (NoPastError, RunError, VariantError) as error:
            return str(error)

    def _base(self, way: Way, worlds: Sequence[World]) -> Run:
        key = (way.base, tuple(world.fingerprint for world in worlds))
        if key not in self._bases:
            self._bases[key] = way.base(self.engine, worlds, self.timeout)
        return self._bases[key]


def _judge(
    relation: PathRelation, way: Way, pair: _Pair, given: Mapping[str, tuple[int, World]], outcome: RelationOutcome
) -> None:
    try:
        violations = _compared(relation.check.id, way.name, pair)
    except (RunError, ComparisonError) as error:
        outcome.refused.append(f"{way.name}: {error}")
        return
    claim = check_claim(CLAIMS[way.claim], pair.base, pair.other)
    if not claim.ok and not (violations and _lost_rows(claim)):
        outcome.refused.append(f"{way.name}: {claim.status}: {claim.describe()}")
        return
    outcome.worlds = max(outcome.worlds, len(pair.worlds))
    outcome.held[way.name] += len(pair.worlds)
    for place, violation in violations:
        index, world = given[pair.worlds[place].fingerprint]
        outcome.note(world, replace(violation, world=index))


def _lost_rows(claim: ClaimOutcome) -> bool:
    """All that is wrong with the proofs is that rows which were planned are not there: with a difference, that is a finding."""
    return claim.status == "refused" and {code for code, _ in claim.reasons} == {"empty"}


def _compared(check: str, clause: str, pair: _Pair) -> list[tuple[int, Violation]]:
    """The worlds that differ, each with its first divergence."""
    differing = [one.index for one in compare_runs(pair.base, pair.other) if not one.equal]
    if not differing:
        return []
    results = list(zip(pair.other.results(), pair.base.results(), strict=True))
    unknown = Violation(check, clause, 0, "other tables", "the same tables")
    return [(index, difference(check, clause, *results[index]) or unknown) for index in differing]
