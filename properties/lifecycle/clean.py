"""Clean runs: what each world's tables are when it is run in one go, without a database; made once, cut to years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from differential.comparison import content_hash
from differential.engines import get_engine
from differential.run import Infeasible, WorldResult, capabilities_of
from differential.side import run_engine
from differential.variant import Variant
from fixtures.world import World


@dataclass(frozen=True)
class Content:
    """Rows of one scenario, and a hash that is equal exactly for equal rows and types."""

    events: pa.Table
    state: pa.Table
    digest: str

    @classmethod
    def of(cls, events: pa.Table, state: pa.Table) -> Content:
        return cls(events, state, content_hash(events) + content_hash(state))

    @property
    def years(self) -> list[int]:
        """Years that have rows, in order."""
        found = {*pc.unique(self.state["simulation_year"]).to_pylist()}
        return sorted(found | {*pc.unique(self.events["simulation_year"]).to_pylist()})

    def between(self, first: int, last: int) -> Content:
        """The rows of the calendar years first..last."""
        return Content.of(*(_years(table, first, last) for table in (self.events, self.state)))


def _years(table: pa.Table, first: int, last: int) -> pa.Table:
    year = table["simulation_year"]
    return table.filter(pc.and_(pc.greater_equal(year, first), pc.less_equal(year, last)))


class CleanRuns:
    """Runs of `engine` in its plainest way, each world once."""

    def __init__(self, engine: str, timeout: float | None = None) -> None:
        self.engine = engine
        self._timeout = timeout
        self._results: dict[str, WorldResult] = {}
        self._contents: dict[tuple[str, int, int], Content] = {}

    def prepare(self, worlds: Sequence[World]) -> None:
        """Run all of these in one pass, for an engine that can."""
        if capabilities_of(get_engine(self.engine)).many_worlds:
            self._run(worlds)

    def _run(self, worlds: Sequence[World]) -> None:
        run = run_engine(self.engine, worlds, Variant(), self._timeout)
        for world, result in zip(worlds, run.results(), strict=True):
            self._results[world.fingerprint] = result

    def result(self, world: World) -> WorldResult:
        if world.fingerprint not in self._results:
            self._run([world])
        return self._results[world.fingerprint]

    def infeasible(self, world: World) -> Infeasible | None:
        return self.result(world).infeasible

    def content(self, world: World, first: int, count: int) -> Content:
        """The rows of the years with index first .. first + count - 1."""
        key = world.fingerprint, first, count
        if key not in self._contents:
            start = world.scenario.start_year + first
            result = self.result(world)
            whole = Content(result.events, result.state, "")
            self._contents[key] = whole.between(start, start + count - 1)
        return self._contents[key]

    def headcount(self, world: World, years: int) -> int:
        """Active people after so many years."""
        state = self.content(world, years - 1, 1).state
        return int(pc.sum(state["is_active"]).as_py() or 0)
