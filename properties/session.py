"""PropertySession: what a test run has found out about each engine, so that its items, one a check, share the runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from differential.parity import FailedWorld
from differential.pool import Chunk
from differential.run import Run, WorldResult
from differential.session import Session
from differential.side import Side, join_runs
from fixtures.empties import empties
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.ahead import Ahead
from properties.check import Check, Violation
from properties.invariants import Judgement, Tables, all_checks, judge_tables
from properties.outside import Outside
from properties.relations.catalogue import RELATIONS
from properties.relations.outcome import RelationOutcome
from properties.relations.passes import Raised, run_all
from properties.relations.relation import Size
from properties.relations.run import run_relations
from properties.rules import RulesPolicy

JUDGED_TOGETHER = 1_024
"""Worlds that the queries take at once: their cost is mostly fixed."""
RELATION_WORLDS = {"quick": 12, "ci": 60, "nightly": 400}
LIVES = {"quick": (3, 6), "ci": (12, 10), "nightly": (60, 20)}
"""Lives of a database file, and the most steps of each."""


@cache
def population(seed: int = 31, random_seed: int = 42) -> World:
    """For what shows in numbers only: I31 needs 1 000 drawn dates. seed: of the people. random_seed: of the scenario."""
    return World(generate(6_000, seed=seed), Scenario(end_year=2026, random_seed=random_seed))


@dataclass(frozen=True)
class BrokenWorld:
    """A world on which a check does not hold. result: what the engine made of it. chunk: where Hypothesis drew it."""

    world: World
    violations: tuple[Violation, ...]
    result: WorldResult | None = None
    chunk: Chunk | None = None

    @property
    def size(self) -> int:
        """Rows times years: the smallest is reduced first."""
        return len(self.world.census) * len(self.world.scenario.years)


@dataclass
class InvariantsFound:
    """What the invariants say of one engine. raised: a world that made it raise, if any, and what.

    totals: places by (check, clause).
    """

    worlds: int = 0
    employees: int = 0
    broken: dict[str, list[BrokenWorld]] = field(default_factory=dict)
    unchecked: dict[str, dict[str, str]] = field(default_factory=dict)
    raised: list[FailedWorld] = field(default_factory=list)
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0


@dataclass
class PropertySession:
    """The settled options of a run of `pytest properties`, beside those of `session`.

    rules: the policy of --rules. outside: the tables of --results; then there is no engine. groups: how many shares a
    time budget is divided into. selected: what of it this run is about, such as `relations[sql]`.
    relation_ids: the relations to hold.
    """

    session: Session
    rules: RulesPolicy
    outside: Outside | None = None
    groups: int = 1
    selected: frozenset[str] = frozenset()
    relation_ids: tuple[str, ...] = tuple(relation.check.id for relation in RELATIONS)
    _invariants: dict[str, InvariantsFound] = field(default_factory=dict)
    _relations: dict[str, dict[str, RelationOutcome]] = field(default_factory=dict)

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """Every check of the catalogue that has an item, by id."""
        return catalogue()

    def invariants(self, engine: str) -> InvariantsFound:
        """All invariants on all inputs of one engine, run on first use."""
        if engine not in self._invariants:
            self._invariants[engine] = self._judge_engine(engine)
        return self._invariants[engine]

    def relations(self, engine: str) -> dict[str, RelationOutcome]:
        """The chosen relations on one engine, run together on first use."""
        if engine not in self._relations:
            self._relations[engine] = self._relate(engine, self.relation_ids)
        return self._relations[engine]

    @cached_property
    def outside_found(self) -> Judgement:
        """All invariants but I36 on the tables of --results: types are those of the mapping."""
        assert self.outside is not None
        return judge_tables(self.outside.tables, [id_ for id_ in all_checks() if id_ != "I36"], threads=2)

    @property
    def share(self) -> float | None:
        """Seconds of one group under a time budget."""
        return None if self.session.minutes is None else 60 * self.session.minutes / self.groups

    def _judge_engine(self, engine: str) -> InvariantsFound:
        started = time.monotonic()
        found = InvariantsFound()
        for passes, chunks in self._batches(f"invariants[{engine}]"):
            self.judge_batch(engine, passes, chunks, found)
            rate = found.worlds / (time.monotonic() - started)
            self.session.progress(
                f"invariants[{engine}]: {found.worlds} worlds, {rate:.0f}/s, {len(found.broken)} checks broken"
            )
        found.seconds = time.monotonic() - started
        return found

    def _batches(self, item: str) -> Iterator[tuple[list[list[World]], dict[str, Chunk]]]:
        """Lists of passes to be judged together: the census with the first, generated worlds, a large population, empty tables."""
        if self.session.costly:
            yield [[self.session.world]], {}
            return
        passes: list[list[World]] = []
        chunks: dict[str, Chunk] = {}
        first = [self.session.world]
        for chunk in self.session.share("worlds", item):
            passes.append([*first, *chunk.worlds])
            chunks |= {world.fingerprint: chunk for world in chunk.worlds}
            first = []
            if sum(map(len, passes)) >= JUDGED_TOGETHER:
                yield passes, chunks
                passes, chunks = [], {}
        yield [*passes, [population()], *([world] for world in empties())], chunks

    def judge_batch(
        self, engine: str, passes: Sequence[Sequence[World]], chunks: Mapping[str, Chunk], found: InvariantsFound
    ) -> list[tuple[Sequence[World], Run]]:
        """Run passes of worlds and hold them to all invariants together; what there is to tell is added to `found`. chunks: by
        fingerprint, where worlds were drawn. Returns the runs that came to a result, each with its worlds."""
        side = Side(engine)
        worlds: list[World] = []
        runs: list[Run] = []
        for one in passes:
            for made in self._run(side, one):
                if isinstance(made, Raised):
                    chunk = chunks.get(made.world.fingerprint)
                    found.raised.append(FailedWorld(made.world, side, side, error=made.message, chunk=chunk))
                else:
                    worlds += made[0]
                    runs.append(made[1])
        found.employees += sum(len(world.census) for world in worlds)
        found.worlds += len(worlds)
        groups = _of_one_schema(worlds, runs)
        for group in groups:
            self._note(*group, chunks, found, own_rules=side.capabilities.own_rules)
        return groups

    def _run(self, side: Side, worlds: Sequence[World]) -> list[tuple[Sequence[World], Run] | Raised]:
        known = self.session.remembered(side, worlds)
        if known is not None:
            return [(worlds, known)]
        made = run_all(lambda some: side.run(some, timeout=self.session.timeout), worlds)
        for one in made:
            if not isinstance(one, Raised) and len(made) == 1:
                self.session.remember(side, worlds, one[1], forever=True)
        return made

    def _note(
        self,
        worlds: Sequence[World],
        run: Run,
        chunks: Mapping[str, Chunk],
        found: InvariantsFound,
        *,
        own_rules: bool = False,
    ) -> None:
        judgement = judge_tables(_tables(run, worlds, own_rules=own_rules))
        found.unchecked |= judgement.unchecked
        found.totals.update(judgement.totals)
        if not judgement.violations:
            return
        results = list(run.results())
        by_world: dict[tuple[str, int], list[Violation]] = {}
        for violation in judgement.violations:
            by_world.setdefault((violation.check, violation.world), []).append(violation)
        for (check, index), violations in by_world.items():
            world = worlds[index]
            found.broken.setdefault(check, []).append(
                BrokenWorld(world, tuple(violations), results[index], chunks.get(world.fingerprint))
            )

    @cached_property
    def ahead(self) -> Ahead:
        """What a second process does meanwhile; nothing under a time budget, whose shares follow one another."""
        ahead = Ahead()
        if self.share is None and not self.session.costly:
            if "lifecycle[all]" in self.selected:
                ahead.begin("lifecycle[all]", "properties.wider:run_lives", self.session.engines, self.lives())
            for engine in self.session.engines[1:]:
                name = f"relations[{engine}]"
                if name in self.selected:
                    worlds = next(self._related_worlds(engine))
                    ahead.begin(
                        name, "properties.session:relate", engine, worlds, self.relation_ids, *self._how_related
                    )
        return ahead

    def lives(self) -> dict[str, Any]:
        """How run_lifecycle is called in this profile."""
        lives, steps = LIVES[self.session.profile.name]
        until_used = self.session.profile.name != "quick"
        return {
            "examples": lives, "steps": steps, "seed": self.session.seed, "until_used": until_used,
            "timeout": self.session.timeout,
        }  # fmt: skip

    def _relate(self, engine: str, ids: Sequence[str]) -> dict[str, RelationOutcome]:
        outcomes = self.ahead.result(f"relations[{engine}]", lambda: self._relate_here(engine, ids))
        return {outcome.relation: outcome for outcome in outcomes}

    def _relate_here(self, engine: str, ids: Sequence[str]) -> list[RelationOutcome]:
        """One group of worlds; under a time budget more of them until the share is used, but for relations that do not hold."""
        until = None if self.share is None else time.monotonic() + self.share
        found: dict[str, RelationOutcome] = {}
        for worlds in self._related_worlds(engine):
            wanted = [id_ for id_ in ids if id_ not in found or found[id_].status in ("pass", "skipped")]
            left = None if until is None else until - time.monotonic()
            if not wanted or (found and (left is None or left <= 0)):
                break
            more = relate(
                engine, worlds, wanted, *self._how_related,
                budget=left, progress=self.session.progress, inputs=not found,
            )  # fmt: skip
            for outcome in more:
                found.setdefault(outcome.relation, RelationOutcome(outcome.relation)).add(outcome)
        return list(found.values())

    def _related_worlds(self, engine: str) -> Iterator[list[World]]:
        return self.session.groups(f"relations[{engine}]", RELATION_WORLDS[self.session.profile.name])

    @property
    def _how_related(self) -> tuple[Size, float | None]:
        return "small" if self.session.profile.name == "quick" else "large", self.session.timeout


def _tables(run: Run, worlds: Sequence[World], *, own_rules: bool) -> Tables:
    """A run's tables with its inputs; of an engine with rules of its own only people and years, as of another system's tables."""
    known = Tables.of(run, worlds)
    if not own_rules:
        return known
    years = [(world.scenario.start_year, world.scenario.end_year) for world in worlds]
    census = worlds[0].census.table if len(worlds) == 1 else None
    proof = (
        known.proof if known.proof is not None and known.proof.planned else None
    )  # without a plan there is none to hold it to
    return replace(known, worlds=None, years=years, census=census, proof=proof)


def relate(
    engine: str,
    worlds: Sequence[World],
    ids: Sequence[str],
    size: Size,
    timeout: float | None,
    budget: float | None = None,
    progress: Callable[[str], None] | None = None,
    *,
    inputs: bool = True,
) -> list[RelationOutcome]:
    """run_relations over the relations with these ids."""
    wanted = [relation for relation in RELATIONS if relation.check.id in ids]
    return run_relations(
        engine, worlds, wanted, size=size, timeout=timeout, budget=budget, progress=progress, inputs=inputs
    )


def catalogue() -> dict[str, Check]:
    """Invariants, then relations, by id."""
    return {**all_checks(), **{relation.check.id: relation.check for relation in RELATIONS}}


def _of_one_schema(worlds: Sequence[World], runs: Sequence[Run]) -> list[tuple[Sequence[World], Run]]:
    """The runs joined to one, or each for itself where an engine's passes have different types."""
    sizes = [len(run) for run in runs]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    parts = [(worlds[start : start + size], run) for start, size, run in zip(starts, sizes, runs, strict=True)]
    if len(runs) < 2:
        return parts
    same = all(run.events.schema == runs[0].events.schema and run.state.schema == runs[0].state.schema for run in runs)
    return [(worlds, join_runs(list(runs)))] if same else parts
