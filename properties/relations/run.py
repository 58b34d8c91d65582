"""Running relations: the twins of all of them over all worlds in few passes, and the other ways one by one.

An engine takes many worlds in one pass at little more cost than one, and a pass costs as much as its longest world has years. So
the worlds are sorted by years, and the twins of every relation go through the engine together.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from differential.comparison import CLAIMS, check_claim, compare_runs, first_divergence
from differential.comparison.exact import schema_differences
from differential.engines import get_engine
from differential.run import Capabilities, Run, RunError, WorldResult, capabilities_of
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from differential.side import Side, UnsuitableWorldsError
from differential.variant import VariantError
from differential.workers import WorkerError
from fixtures.world import World
from properties.check import Violation
from properties.relations.edits import lean
from properties.relations.judgement import Judgement, violation_of
from properties.relations.relation import (
    COMPLETES,
    GENERAL_CLAUSES,
    READABLE,
    Family,
    How,
    PathRelation,
    Relation,
    Size,
    TwinRelation,
    Way,
)
from properties.relations.ways import NoPastError, with_own_name

PASS_WORLDS = 1_500
PASS_ROWS = 60_000
"""Census rows times years that close a pass: keeps memory bounded."""


@dataclass(frozen=True)
class Broken:
    """A world on which a relation does not hold, without limits of years that it does not simulate.

    `violation.world` is its index in the worlds given; the relation's own inputs are counted on from there.
    """

    world: World
    violation: Violation


@dataclass
class RelationOutcome:
    """What came of one relation.

    worlds: judged. held: how often each clause had something to hold. broken: the first violation of each clause on each world.
    skipped: what was not done and why. refused: comparisons that prove nothing. unjudged: worlds left out after another had
    made the engine raise. seconds: of this relation alone: building twins, judging, and its own ways.
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
        """`fail`, `refused`, `pass` or, where nothing was judged, `skipped`; a failure weighs more than a refusal."""
        if self.broken:
            return "fail"
        if self.refused:
            return "refused"
        return "pass" if self.worlds and self.held else "skipped"


def clause_text(relation: Relation, clause: str) -> str:
    """The formula of a clause that a violation names."""
    return {**GENERAL_CLAUSES, **relation.check.clauses}[clause]


def run_relations(
    engine: str,
    worlds: Sequence[World],
    relations: Sequence[Relation],
    *,
    size: Size = "small",
    cap: int | None = None,
    inputs: bool = True,
    timeout: float | None = None,
    budget: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[RelationOutcome]:
    """Hold the relations to an engine (its SPEC), over these worlds and, unless `inputs` is False, the relations' own.

    cap: each relation takes the first so many of `worlds`. timeout: seconds for one run of an attached engine. budget: seconds
    after which no further pass is begun; what is left is said in `skipped`. progress: takes one line now and then.

    Raises:
        VariantError, EngineSpecError: the engine cannot be had, or refuses the plain way to run.
    """
    return _Session(engine, list(worlds), size, cap, inputs, timeout, budget, progress).run(relations)


@dataclass(frozen=True)
class _Job:
    """One relation on one world, with its twins that differ from it."""

    relation: TwinRelation
    index: int
    world: World
    twins: Mapping[str, World]

    @property
    def worlds(self) -> list[World]:
        return [self.world, *self.twins.values()]


class _Session:
    """One call of run_relations."""

    def __init__(
        self, engine: str, worlds: list[World], size: Size, cap: int | None, inputs: bool, timeout: float | None,
        budget: float | None, progress: Callable[[str], None] | None,
    ) -> None:  # fmt: skip
        self.engine, self.size, self.inputs, self.timeout = engine, size, inputs, timeout
        self.worlds = [lean(world) for world in worlds[:cap]]
        self.until = None if budget is None else time.monotonic() + budget
        self.progress = progress or (lambda _: None)
        self.bases: dict[tuple[How, tuple[str, ...]], Run] = {}
        self.first_own = len(worlds)

    def run(self, relations: Sequence[Relation]) -> list[RelationOutcome]:
        outcomes = {relation.check.id: RelationOutcome(relation.check.id) for relation in relations}
        self._twin_relations([one for one in relations if isinstance(one, TwinRelation)], outcomes)
        for relation in relations:
            if isinstance(relation, PathRelation):
                started = time.monotonic()
                for way in relation.ways:
                    self._way(relation, way, outcomes[relation.check.id])
                outcomes[relation.check.id].seconds += time.monotonic() - started
        return [outcomes[relation.check.id] for relation in relations]

    # --- twins

    def _twin_relations(self, relations: Sequence[TwinRelation], outcomes: Mapping[str, RelationOutcome]) -> None:
        pending: list[_Job] = []
        fingerprints: set[str] = set()
        rows = years = 0
        for relation, index, world in self._pairs(relations):
            job = _timed(outcomes[relation.check.id], lambda r=relation, i=index, w=world: _job(r, i, w))  # type: ignore[misc]
            if job is None:
                continue
            longest = max(len(one.scenario.years) for one in job.worlds)
            fresh = {one.fingerprint: one for one in job.worlds if one.fingerprint not in fingerprints}
            more = sum(len(one.census) * len(one.scenario.years) for one in fresh.values())
            full = len(fingerprints) + len(fresh) > PASS_WORLDS or rows + more > PASS_ROWS or _class(longest) > years
            if pending and full:
                self._flush(pending, outcomes)
                pending, fingerprints, rows = [], set(), 0
                fresh = {one.fingerprint: one for one in job.worlds}
                more = sum(len(one.census) * len(one.scenario.years) for one in fresh.values())
            pending.append(job)
            fingerprints |= fresh.keys()
            rows, years = rows + more, max(years, _class(longest))
        if pending:
            self._flush(pending, outcomes)

    def _pairs(self, relations: Sequence[TwinRelation]) -> list[tuple[TwinRelation, int, World]]:
        """Relations with worlds, by the worlds' years, so that passes hold worlds of like length."""
        found = []
        for relation in relations:
            own = relation.inputs(self.size) if self.inputs else ()
            found += [
                (relation, index, world) for index, world in [*enumerate(self.worlds), *enumerate(own, self.first_own)]
            ]
        return sorted(found, key=lambda item: (len(item[2].scenario.years), item[1]))

    def _flush(self, jobs: Sequence[_Job], outcomes: Mapping[str, RelationOutcome]) -> None:
        if self._late():
            for job in jobs:
                _say_once(outcomes[job.relation.check.id].skipped, "out of time")
            return
        unique = {world.fingerprint: world for job in jobs for world in job.worlds}
        self.progress(f"{self.engine}: {len(unique)} worlds of {len(jobs)} relations in a pass")
        results = self._results(list(unique.values()))
        for job in jobs:
            outcome = outcomes[job.relation.check.id]
            _timed(outcome, lambda j=job, o=outcome: _judge(j, results, o))  # type: ignore[misc]

    def _results(self, worlds: Sequence[World]) -> dict[str, WorldResult | str]:
        """What the engine made of each world, by fingerprint: its result, or what it raised; nothing where it was not run."""
        found: dict[str, WorldResult | str] = {}
        for part, run in halving(lambda some: Side(self.engine).run(some, timeout=self.timeout), worlds):
            if isinstance(run, str):
                found[part[0].fingerprint] = run
            else:
                found.update((world.fingerprint, result) for world, result in zip(part, run.results(), strict=True))
        return found

    # --- ways

    def _way(self, relation: PathRelation, way: Way, outcome: RelationOutcome) -> None:
        missing = [axis for axis in way.needs if not _has(self.engine, axis)]
        if missing:
            outcome.skipped.append(f"{way.name}: {self.engine} has no {missing[0].replace('_', ' ')}")
            return
        if self._late():
            outcome.skipped.append(f"{way.name}: out of time")
            return
        known = [(index, way.of(world)) for index, world in enumerate(self.worlds)]
        named = ((index, with_own_name(world)) for index, world in known if world is not None)
        # reversed, so that of equal worlds the first is kept: a database cannot hold two
        chosen = sorted({world.fingerprint: (index, world) for index, world in reversed([*named])}.values(), key=_first)
        if not chosen:
            outcome.skipped.append(f"{way.name}: no world it says something about")
            return
        self.progress(f"{self.engine}: {relation.check.id} {way.name}")
        self._both_ways(relation, way, chosen, outcome)

    def _both_ways(
        self, relation: PathRelation, way: Way, chosen: Sequence[tuple[int, World]], outcome: RelationOutcome
    ) -> None:
        index_of = {world.fingerprint: index for index, world in chosen}
        for part, runs in halving(lambda some: self._pair(way, some), [world for _, world in chosen]):
            if isinstance(runs, str):
                index = index_of[part[0].fingerprint]
                _note(
                    outcome, part[0], Violation(relation.check.id, COMPLETES, index, f"{way.name}: {runs}", "a result")
                )
                continue
            if isinstance(runs, _Refusal):
                outcome.refused.append(f"{way.name}: {runs.why}")
                continue
            kept, base, other = runs
            claim = check_claim(CLAIMS[way.claim], base, other)
            if not claim.ok:
                outcome.refused.append(f"{way.name}: {claim.status}: {claim.describe()}")
                continue
            outcome.worlds = max(outcome.worlds, len(kept))
            outcome.held[way.name] += len(kept)
            for index, violation in _compared(relation.check.id, way.name, base, other):
                world = kept[index]
                _note(outcome, world, replace(violation, world=index_of[world.fingerprint]))

    def _pair(self, way: Way, worlds: Sequence[World]) -> tuple[Sequence[World], Run, Run] | _Refusal:
        """Both runs; worlds that one of the ways cannot take are left out."""
        try:
            other = way.how(self.engine, worlds, self.timeout)
            base = self._base(way, worlds)
        except UnsuitableWorldsError as error:
            kept = [world for index, world in enumerate(worlds) if index not in error.indexes]
            return self._pair(way, kept) if kept else _Refusal(str(error))
        except (NoPastError, RunError, VariantError) as error:
            return _Refusal(str(error))
        return worlds, base, other

    def _base(self, way: Way, worlds: Sequence[World]) -> Run:
        # kept: most ways start from the plain run, and a fresh database serves as base and as the other way
        key = (way.base, tuple(world.fingerprint for world in worlds))
        if key not in self.bases:
            self.bases[key] = way.base(self.engine, worlds, self.timeout)
        return self.bases[key]

    def _late(self) -> bool:
        return self.until is not None and time.monotonic() > self.until


@dataclass(frozen=True)
class _Refusal:
    """Why two runs prove nothing."""

    why: str


def _job(relation: TwinRelation, index: int, world: World) -> _Job | None:
    twins = {twin.name: twin.world for twin in relation.twins(world)}
    # a twin that is the world itself would be compared with its own run
    twins = {name: twin for name, twin in twins.items() if twin.fingerprint != world.fingerprint}
    return _Job(relation, index, world, twins) if twins else None


def _judge(job: _Job, results: Mapping[str, WorldResult | str], outcome: RelationOutcome) -> None:
    """Hold one relation to one family; what the engine raised, or tables that cannot be read, are violations too."""
    check = job.relation.check
    found = [results.get(world.fingerprint) for world in job.worlds]
    raised = [(world, text) for world, text in zip(job.worlds, found, strict=True) if isinstance(text, str)]
    if raised:
        _note(outcome, job.world, Violation(check.id, COMPLETES, job.index, raised[0][1], "a result"))
        return
    family = _family(job, found)
    if family is None:
        outcome.unjudged += 1
        return
    judgement = Judgement(check)
    try:
        job.relation.judge(family, judgement)
    except Exception as error:  # noqa: BLE001 - an engine may put anything into its tables; a judge reads them as documented
        wrong = _unreadable(family) or f"{type(error).__name__}: {error}"
        _note(outcome, job.world, Violation(check.id, READABLE, job.index, wrong, "tables as documented"))
    outcome.worlds += 1
    outcome.held += judgement.held
    for violation in judgement.violations:
        _note(outcome, job.world, replace(violation, world=job.index))


def _family(job: _Job, found: Sequence[WorldResult | str | None]) -> Family | None:
    """The family with all its results; None where some world was not run."""
    known = [result for result in found if isinstance(result, WorldResult)]
    if len(known) < len(found):
        return None
    return Family(job.world, known[0], job.twins, dict(zip(job.twins, known[1:], strict=True)))


def _unreadable(family: Family) -> str | None:
    """The first column that is not as documented, in any of the family's tables."""
    for result in (family.result, *family.results.values()):
        for table, schema in ((result.events, EVENTS_SCHEMA), (result.state, STATE_SCHEMA)):
            for wrong in schema_differences(table.schema, schema):
                return f"column {wrong.column}: {wrong.left or 'missing'} in place of {wrong.right or 'nothing'}"
    return None


def _compared(check: str, clause: str, base: Run, other: Run) -> list[tuple[int, Violation]]:
    """The worlds that differ, each with its first divergence."""
    differing = [one.index for one in compare_runs(base, other) if not one.equal]
    if not differing:
        return []
    found, results = [], list(zip(other.results(), base.results(), strict=True))
    for index in differing:
        divergence = first_divergence(*results[index])
        if divergence is not None:
            found.append((index, violation_of(check, clause, divergence)))
    return found


def halving(run: Callable[[Sequence[World]], Any], worlds: Sequence[World]) -> list[tuple[Sequence[World], Any]]:
    """`run` over all worlds at once. Where it raises, over halves, until one world that makes it raise is alone: that one comes
    with the message as text, and other halves that raise too are left out."""
    done: list[tuple[Sequence[World], Any]] = []
    alone = False
    waiting = [list(worlds)]
    while waiting:
        part = waiting.pop()
        try:
            done.append((part, run(part)))
        except (KeyboardInterrupt, VariantError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is a finding about that engine
            hung = isinstance(error, WorkerError) and error.kind == "hung"
            if len(part) == 1 or hung:
                done.append((part[:1], f"{type(error).__name__}: {error}".splitlines()[0][:500]))
                alone = True
            elif not alone:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
    return done


def _has(engine: str, axis: str) -> bool:
    """Whether the engine has an axis of Capabilities, a level by name (`levels:low`), or the method run_years."""
    found = get_engine(engine)
    if axis == "run_years":
        return callable(getattr(found, "run_years", None))
    can: Capabilities = capabilities_of(found)
    name, _, value = axis.partition(":")
    return value in getattr(can, name) if value else bool(getattr(can, name))


def _note(outcome: RelationOutcome, world: World, violation: Violation) -> None:
    """Keep the first violation of each clause on each world."""
    known = {(broken.violation.world, broken.violation.clause) for broken in outcome.broken[-50:]}
    if (violation.world, violation.clause) not in known:
        outcome.broken.append(Broken(world, violation))


def _first(item: tuple[int, World]) -> int:
    return item[0]


def _say_once(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


def _class(years: int) -> int:
    """Worlds of 1..3, 4..6, 7..12, .. years go together."""
    return max(0, (years - 1) // 3).bit_length()


def _timed(outcome: RelationOutcome, work: Callable[[], Any]) -> Any:
    started = time.monotonic()
    try:
        return work()
    finally:
        outcome.seconds += time.monotonic() - started
