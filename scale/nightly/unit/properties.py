"""Judging worlds by properties: the invariants in each engine's runs, and the relations between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from differential.parity import FailedWorld
from differential.pool import Chunk
from differential.reduction import Budget
from differential.reduction.check import error_signature
from differential.session import Session
from differential.side import Side
from fixtures.empties import empties
from fixtures.world import World
from properties.check import Violation
from properties.finding import NO_CHECK, PropertyFinding, explain, finding_of
from properties.judging import UnjudgedError, judge_of
from properties.relations.relation import Size
from properties.rules import RulesPolicy
from properties.session import BrokenWorld, InvariantsFound, PropertySession, population, relate
from scale.nightly.unit.judged import Judged, Suspect, judge_all
from scale.nightly.unit.source import Batch

RELATION_SECONDS = 20.0
"""That a batch of relations may take even when less of the budget is left: one that is cut off in the middle says nothing."""
SMALL_BUDGET = 120.0
"""Seconds of a unit below which relations take their smaller inputs of their own."""
_HUNG = "gave no result in"


class _Properties:
    """What both judges share: engines that take turns over the batches, and how a failure becomes a suspect."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._turn = 0

    @property
    def turns(self) -> int:
        return len(self._session.engines)

    def _next(self) -> str:
        self._turn += 1
        return self._session.engines[(self._turn - 1) % len(self._session.engines)]

    def _suspect(self, engine: str, check: str, broken: BrokenWorld, batch: Batch) -> Suspect:
        side, judge = Side(engine), judge_of(check)
        first, world = broken.violations[0], broken.world

        @cache
        def finding() -> PropertyFinding:
            return finding_of(
                self._session, side, world, judge=judge, violations=broken.violations, result=broken.result,
                command=f"{self._session.command('properties')} --check {check}",
            )  # fmt: skip

        def again() -> PropertyFinding | None:
            try:
                found = judge.violations(side, batch.worlds, self._session.timeout)
            except UnjudgedError:
                return None
            mine = [one for one in found if batch.worlds[one.world].census is world.census]
            return finding().seen([replace(one, world=0) for one in mine]) if mine else None

        results = ((side.describe(), broken.result),) if broken.result is not None else ()
        return Suspect(
            check, (engine,), first.signature, world, finding, self._reducer(finding, broken.chunk), again, results,
            chunk=broken.chunk,
        )  # fmt: skip

    def _raised(self, engine: str, failed: FailedWorld, batch: Batch) -> Suspect:
        side, said = Side(engine), failed.error or "unknown error"

        @cache
        def finding() -> PropertyFinding:
            return finding_of(self._session, side, failed.world, error=said)

        def again() -> PropertyFinding | None:
            try:
                side.run(batch.worlds, timeout=self._session.timeout)
            except Exception as error:  # noqa: BLE001 - whatever an engine raises is what is looked for
                return replace(finding(), error=f"{type(error).__name__}: {error}")
            return None

        hung = _HUNG in said
        signature = error_signature(NO_CHECK, said.split(":")[0])
        reduce = self._reducer(finding, failed.chunk, hung=hung)
        return Suspect(
            NO_CHECK, (engine,), signature, failed.world, finding, reduce, again, hung=hung, chunk=failed.chunk
        )

    def _reducer(
        self, finding: Callable[[], PropertyFinding], chunk: Chunk | None, *, hung: bool = False
    ) -> Callable[[Budget], Path]:
        return lambda budget: explain(finding(), self._session, chunk=chunk, hung=hung, budget=budget)[1]


class InvariantsJudge(_Properties):
    """All invariants, in runs of one engine after the other."""

    most, first = 512, 256

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._properties = PropertySession(session, RulesPolicy())

    @property
    def own(self) -> Sequence[Batch]:
        """What `pytest properties` judges besides drawn worlds; of large populations another one in each unit."""
        seed = self._session.seed or 0
        return [Batch((world,), {}, {}) for world in (population(seed, random_seed=seed % 2**63), *empties())]

    def judge(self, batch: Batch, seconds: float) -> Judged:  # noqa: ARG002 - a pass cannot be cut short
        judged, engine = Judged(), self._next()
        judge_all(batch.worlds, judged, lambda worlds: self._judge(engine, worlds, batch, judged))
        return judged

    def _judge(self, engine: str, worlds: list[World], batch: Batch, judged: Judged) -> tuple[set[int], bool]:
        found = InvariantsFound()
        runs = self._properties.judge_batch(engine, [worlds], batch.chunks, found)
        judged.runs += runs
        judged.worlds += found.worlds + len(found.raised)
        judged.employees += found.employees
        for check, broken in found.broken.items():
            judged.suspects += [self._suspect(engine, check, one, batch) for one in broken]
        raised = [self._raised(engine, failed, batch) for failed in found.raised]
        judged.suspects += raised
        done = {id(world.census) for some, _ in runs for world in some}
        done |= {id(failed.world.census) for failed in found.raised}
        return done, not any(one.hung for one in raised)


class RelationsJudge(_Properties):
    """All relations, on one engine after the other; on the first batch of each also over inputs of their own."""

    most, first = 60, 12
    own: Sequence[Batch] = ()  # relations have theirs within a batch

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._ids = PropertySession(session, RulesPolicy()).relation_ids
        self._known: set[str] = set()

    def judge(self, batch: Batch, seconds: float) -> Judged:
        engine = self._next()
        size: Size = "small" if 60 * (self._session.minutes or math.inf) < SMALL_BUDGET else "large"
        outcomes = relate(
            engine, batch.worlds, self._ids, size, self._session.timeout,
            budget=max(RELATION_SECONDS, seconds), progress=self._session.progress, inputs=engine not in self._known,
        )  # fmt: skip
        self._known.add(engine)
        judged = Judged()
        if any(outcome.worlds for outcome in outcomes):
            judged.worlds = len(batch.worlds)
            judged.employees = sum(len(world.census) for world in batch.worlds)
        judged.refused = "; ".join(why for outcome in outcomes for why in outcome.refused)
        # relations take worlds without limits that they do not use: other worlds, with the same censuses
        drawn = {id(world.census): batch.chunks.get(world.fingerprint) for world in batch.worlds}
        for outcome in outcomes:
            by_world: dict[str, tuple[World, list[Violation]]] = {}
            for one in outcome.broken:
                world, violations = by_world.setdefault(one.world.fingerprint, (one.world, []))
                violations.append(replace(one.violation, world=0))
            for world, violations in by_world.values():
                broken = BrokenWorld(world, tuple(violations), chunk=drawn.get(id(world.census)))
                judged.suspects.append(self._suspect(engine, outcome.relation, broken, batch))
        return judged
