"""Running relations: the twins of all of them over all worlds in few passes, and the other ways one by one.

An engine takes many worlds in one pass at little more cost than one, and a pass costs as much as its longest world has years. So
the worlds are sorted by years, and the twins of every relation go through the engine together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from fixtures.world import World
from properties.relations.designed import busy
from properties.relations.edits import lean
from properties.relations.families import Job, batches, judge, make_job, run_batch
from properties.relations.outcome import Broken, RelationOutcome, clause_text
from properties.relations.paths import Paths
from properties.relations.relation import PathRelation, Relation, Size, TwinRelation

__all__ = ["Broken", "RelationOutcome", "clause_text", "run_relations"]

_LATE = "out of time"


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
    """Hold the relations to an engine (its SPEC), over these worlds; one outcome for each relation, in their order.

    inputs: every relation also takes designed.busy and worlds of its own. cap: each takes the first so many of `worlds`.
    timeout: seconds for one run of an attached engine. budget: seconds after which no further pass is begun; what is left is
    said in `skipped`. progress: takes one line now and then.

    Raises:
        VariantError, EngineSpecError: the engine cannot be had, or refuses the plain way to run.
    """
    outcomes = {relation.check.id: RelationOutcome(relation.check.id) for relation in relations}
    until = None if budget is None else time.monotonic() + budget
    say = progress or (lambda _: None)
    given = [(index, lean(world)) for index, world in enumerate(worlds[:cap])]
    own = [(len(worlds), busy())] if inputs else []

    def late() -> bool:
        return until is not None and time.monotonic() > until

    twins = [relation for relation in relations if isinstance(relation, TwinRelation)]
    pairs = [(relation, index, world) for relation in twins for index, world in [*given, *own]]
    if inputs:
        pairs += [(relation, *item) for relation in twins for item in enumerate(relation.inputs(size), len(worlds) + 1)]
    for batch in batches(_jobs(pairs, outcomes)):
        if late():
            for job in batch.jobs:
                outcomes[job.relation.check.id].skip(_LATE)
            continue
        say(f"{engine}: {len(batch.worlds)} worlds in {len(batch.passes)} passes, for {len(batch.jobs)} judgements")
        results = run_batch(engine, batch, timeout)
        for job in batch.jobs:
            with outcomes[job.relation.check.id].timed():
                judge(job, results, outcomes[job.relation.check.id])

    paths = Paths(engine, [*given, *own], timeout)
    for relation in (one for one in relations if isinstance(one, PathRelation)):
        for way in relation.ways:
            outcome = outcomes[relation.check.id]
            if late():
                outcome.skip(f"{way.name}: {_LATE}")
                continue
            say(f"{engine}: {relation.check.id} {way.name}")
            with outcome.timed():
                paths.hold(relation, way, outcome)
    return list(outcomes.values())


def _jobs(pairs: Sequence[tuple[TwinRelation, int, World]], outcomes: Mapping[str, RelationOutcome]) -> Iterator[Job]:
    """The jobs of these relations and worlds, by the worlds' years."""
    for relation, index, world in sorted(pairs, key=lambda pair: (len(pair[2].scenario.years), pair[1])):
        with outcomes[relation.check.id].timed():
            job = make_job(relation, index, world)
        if job is not None:
            yield job
