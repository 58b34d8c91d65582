"""Holding twin relations: which worlds go through the engine together, and each family judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from differential.comparison.exact import schema_differences
from differential.run import WorldResult
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from differential.side import Side
from fixtures.world import World
from properties.check import Violation
from properties.relations.judgement import Judgement
from properties.relations.outcome import RelationOutcome
from properties.relations.passes import Raised, run_all
from properties.relations.relation import COMPLETES, READABLE, Family, TwinRelation

PASS_WORLDS = 1_500
PASS_ROWS = 60_000
"""Census rows times years that close a pass: keeps memory bounded."""

Results = Mapping[str, WorldResult | Raised]


@dataclass(frozen=True)
class Job:
    """One relation on one world, with its twins that differ from it."""

    relation: TwinRelation
    index: int
    world: World
    twins: Mapping[str, World]

    @property
    def worlds(self) -> list[World]:
        return [self.world, *self.twins.values()]

    @property
    def alone(self) -> bool:
        """Whether each of its worlds needs a pass of its own."""
        return self.relation.alone(self.world)


def make_job(relation: TwinRelation, index: int, world: World) -> Job | None:
    """None where the relation says nothing about the world."""
    twins = {twin.name: twin.world for twin in relation.twins(world)}
    # a twin that is the world itself would be compared with its own run
    twins = {name: twin for name, twin in twins.items() if twin.fingerprint != world.fingerprint}
    return Job(relation, index, world, twins) if twins else None


@dataclass
class Batch:
    """Jobs whose worlds go through the engine in one pass, each world once; alone: in a pass each."""

    jobs: list[Job] = field(default_factory=list)
    worlds: dict[str, World] = field(default_factory=dict)
    rows: int = 0
    alone: bool = False

    @property
    def passes(self) -> list[list[World]]:
        """The worlds of each pass."""
        worlds = list(self.worlds.values())
        return [[world] for world in worlds] if self.alone else [worlds]

    def add(self, job: Job) -> None:
        for world in job.worlds:
            if world.fingerprint not in self.worlds:
                self.worlds[world.fingerprint] = world
                self.rows += len(world.census) * len(world.scenario.years)
        self.jobs.append(job)


def batches(jobs: Iterator[Job]) -> Iterator[Batch]:
    """Jobs in batches of worlds of like length, which are given by years; a pass costs as much as its longest world has years."""
    batch, years = Batch(), 0
    for job in jobs:
        if job.alone:
            single = Batch(alone=True)
            single.add(job)
            yield single
            continue
        longest = _class(max(len(world.scenario.years) for world in job.worlds))
        rows = sum(len(world.census) * len(world.scenario.years) for world in job.worlds)
        full = len(batch.worlds) + len(job.worlds) > PASS_WORLDS or batch.rows + rows > PASS_ROWS
        if batch.jobs and (full or longest > years):
            yield batch
            batch, years = Batch(), 0
        batch.add(job)
        years = max(years, longest)
    if batch.jobs:
        yield batch


def run_batch(engine: str, batch: Batch, timeout: float | None) -> Results:
    """What the engine made of each world, by fingerprint; nothing where it was not run."""
    found: dict[str, WorldResult | Raised] = {}
    for one_pass in batch.passes:
        for part in run_all(lambda some: Side(engine).run(some, timeout=timeout), one_pass):
            if isinstance(part, Raised):
                found[part.world.fingerprint] = part
            else:
                worlds, run = part
                found.update((world.fingerprint, result) for world, result in zip(worlds, run.results(), strict=True))
    return found


def judge(job: Job, results: Results, outcome: RelationOutcome) -> None:
    """Hold one relation to one family; what the engine raised, or tables that cannot be read, are violations too."""
    check = job.relation.check
    found = [results.get(world.fingerprint) for world in job.worlds]
    raised = next((one for one in found if isinstance(one, Raised)), None)
    if raised is not None:
        outcome.note(job.world, Violation(check.id, COMPLETES, job.index, raised.message, "a result"))
        return
    known = [one for one in found if isinstance(one, WorldResult)]
    if len(known) < len(found):
        outcome.unjudged += 1
        return
    family = Family(job.world, known[0], job.twins, dict(zip(job.twins, known[1:], strict=True)))
    judgement = Judgement(check)
    try:
        job.relation.judge(family, judgement)
    except Exception as error:  # noqa: BLE001 - an engine may put anything into its tables; a judge reads them as documented
        wrong = _unreadable(known) or f"{type(error).__name__}: {error}"
        outcome.note(job.world, Violation(check.id, READABLE, job.index, wrong, "tables as documented"))
    outcome.worlds += 1
    outcome.held += judgement.held
    for violation in judgement.violations:
        outcome.note(job.world, replace(violation, world=job.index))


def _unreadable(results: Sequence[WorldResult]) -> str | None:
    """The first column that is not as documented, in any of the tables."""
    for result in results:
        for table, schema in ((result.events, EVENTS_SCHEMA), (result.state, STATE_SCHEMA)):
            for wrong in schema_differences(table.schema, schema):
                return f"column {wrong.column}: {wrong.left or 'missing'} in place of {wrong.right or 'nothing'}"
    return None


def _class(years: int) -> int:
    """Worlds of 1..3, 4..6, 7..12, .. years go together."""
    return max(0, (years - 1) // 3).bit_length()
