"""Judging worlds by a parity test: two sides of a case on the same batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from differential.cases import Case, all_cases
from differential.engines import is_built_in
from differential.finding import explain, failure_of
from differential.parity import CaseRun, FailedWorld
from differential.reduction import Budget
from differential.repro import Failure
from differential.run import Run
from differential.session import Session
from fixtures.empties import empties
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from scale.nightly.unit.judged import Judged, Suspect, judge_all
from scale.nightly.unit.source import Batch
from scale.status import UsageError

ENGINE_PAIRS = ("sql_vs_polars", "library_versions")
"""Tests that compare two engines: different ones, or one under two sets of libraries. A unit of either kind takes both."""
_BYTES = "CanonicalBytes: the rows are equal, the canonical bytes are not"


class ParityJudge:
    """Cases of parity tests; their pairs of sides take turns over the batches, the plain pair of each case before its others.

    Where the turns begin follows from the seed: a slow engine's unit has fewer batches than there are pairs.

    Raises UsageError where the engines have nothing to compare.
    """

    most, first = 1024, 256

    def __init__(self, session: Session, tests: Sequence[str]) -> None:
        self._session = session
        self.cases = [case for case in all_cases(session.engines) if case.test in tests]
        if not self.cases:
            told = f"{' and '.join(tests)}: there is nothing to compare with {', '.join(session.engines)}"
            raise UsageError(told)
        turns = [(place, number) for number, case in enumerate(self.cases) for place in range(len(case.pairs))]
        self._turns = [(self.cases[number], place) for place, number in sorted(turns)]
        self._turn = (session.seed or 0) % len(turns)

    @property
    def turns(self) -> int:
        return len(self._turns)

    @property
    def own(self) -> Sequence[Batch]:
        """What `pytest differential` compares besides drawn worlds in little time: tables without rows, a thousand people."""
        seed = self._session.seed or 0
        worlds = empties() if all(case.size == "worlds" for case in self.cases) else []
        if any(case.inputs == "thousand" for case in self.cases):
            worlds.append(World(generate(1_000, seed=seed), Scenario(end_year=2026, random_seed=seed % 2**63)))
        return [Batch((world,), {}, {}) for world in worlds]

    def judge(self, batch: Batch, seconds: float) -> Judged:  # noqa: ARG002 - a pass cannot be cut short
        case, pair = self._turns[self._turn % len(self._turns)]
        self._turn += 1
        return self.compare(case, pair, batch)

    def compare(self, case: Case, pair: int, batch: Batch) -> Judged:
        """One pair of sides over a batch, by one case."""
        judged = Judged()
        judge_all(batch.worlds, judged, lambda worlds: self._feed(case, pair, worlds, batch, judged))
        return judged

    def _feed(self, case: Case, pair: int, worlds: list[World], batch: Batch, judged: Judged) -> tuple[set[int], bool]:
        done: set[int] = set()

        def watch(compared: Sequence[World], left: Run, right: Run) -> None:
            # under `used_database` worlds have other names, and the same censuses
            done.update(id(world.census) for world in compared)
            sides = case.pairs[pair]
            judged.runs.append((compared, left if is_built_in(sides[0].engine) else right))

        run = CaseRun(case, self._session, watch)
        run.feed(worlds, pair, batch.chunks)
        record = run.record
        judged.worlds += record.worlds
        judged.employees += record.employees
        if record.status in ("refused", "unproven"):
            judged.refused = f"{record.test}[{record.name}]: {record.status}: {record.reason}"
            return done, False
        if record.status == "fail" and not run.failures:
            left, right = case.pairs[pair]
            smallest = min(worlds, key=lambda world: len(world.census) * len(world.scenario.years))
            run.failures.append(FailedWorld(smallest, left, right, error=_BYTES))
        failures = list(run.failures)
        judged.suspects += [self._suspect(run, failed, batch, pair) for failed in failures]
        done |= {id(failed.world.census) for failed in failures}
        if not any(failed.error for failed in run.failures):
            done |= {id(world.census) for world in worlds}  # those that do not suit a side are done too
        return done, not any(failed.hung for failed in failures)

    def _suspect(self, run: CaseRun, failed: FailedWorld, batch: Batch, pair: int) -> Suspect:
        failure = self._failure(run, failed)
        sides = (failed.left, failed.right)

        def reduce(budget: Budget) -> Path:
            alone = CaseRun(run.case, self._session)
            alone.record.versions, alone.record.worlds = run.record.versions, 1
            alone.failures = [failed]
            explain(alone, self._session, budget)
            return Path(str(alone.record.bundle))

        def again() -> Failure | None:
            once_more = CaseRun(run.case, self._session)
            once_more.feed(batch.worlds, pair)
            same = [one for one in once_more.failures if one.world.census is failed.world.census]
            return self._failure(once_more, same[0]) if same else None

        names = [side.describe() for side in sides]
        return Suspect(
            test=run.case.test,
            engines=tuple(dict.fromkeys(side.engine for side in sides)),
            signature=failure.signature,
            world=failed.world,
            finding=lambda: failure,
            reduce=reduce,
            again=again,
            results=tuple(zip(names, failed.results, strict=True)) if failed.results else (),
            hung=failed.hung,
            chunk=failed.chunk,
        )

    def _failure(self, run: CaseRun, failed: FailedWorld) -> Failure:
        return replace(failure_of(run, failed, self._session), test=run.case.test)
