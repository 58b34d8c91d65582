"""Base and candidate in turn on one machine: first pairs of every cell, then pairs of their own for those that look different."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from scale.compare.request import CompareRequest
from scale.log import Log
from scale.measuring import measure
from scale.records import Cell, Pairs, Run
from scale.statistics import compare_pairs, pairs_wanted
from scale.sweep.progress import Forecast, Teller, left
from scale.sweep.run import OutOfTimeError

Which = Literal["base", "candidate"]
SIDES: tuple[Which, Which] = ("base", "candidate")
RUN_SECONDS = 900.0


@dataclass
class Taken:
    """The runs of one cell in one round, pair by pair; a side that failed ends it."""

    base: list[Run] = field(default_factory=list)
    candidate: list[Run] = field(default_factory=list)

    def of(self, side: Which) -> list[Run]:
        return self.base if side == "base" else self.candidate

    @property
    def failed(self) -> tuple[Which, Run] | None:
        """The first run that gave no result, and whose it was."""
        return next(((side, run) for side in SIDES for run in self.of(side) if run.status != "ok"), None)

    @property
    def pairs(self) -> Pairs:
        """Seconds of the whole pairs."""
        whole = min(len(self.base), len(self.candidate))
        base, candidate = ([run.seconds or 0.0 for run in self.of(side)[:whole]] for side in SIDES)
        return Pairs(base=base, candidate=candidate)


class Comparer:
    """One comparison under way. initial, confirmation: what was taken, by cell."""

    def __init__(self, request: CompareRequest, teller: Teller, log: Log) -> None:
        self._request, self._teller, self._log = request, teller, log
        self._forecast, self._begun = Forecast(), time.monotonic()
        self.initial: dict[Cell, Taken] = defaultdict(Taken)
        self.confirmation: dict[Cell, Taken] = defaultdict(Taken)

    def all(self) -> None:
        """Both rounds. Raises OutOfTimeError; what was taken stays."""
        policy = self._request.policy.regression
        for cell in self._smallest():
            for side in SIDES:
                self._run(cell, side, -1, [])
        self._round(self.initial, self._request.cells, policy.pairs_initial)
        while wanted := {cell: count for cell in self._request.cells if (count := self._wanted(cell))}:
            pairs = max(wanted.values())
            self._teller.say(f"{len(wanted)} cells look different; {pairs} new pairs of each decide")
            self._teller.more(2 * pairs * len(wanted))
            self._round(self.confirmation, list(wanted), pairs)

    def _wanted(self, cell: Cell) -> int:
        """Further pairs that the cell needs."""
        first, second, policy = self.initial[cell], self.confirmation.get(cell), self._request.policy
        if first.failed or (second and second.failed):
            return 0
        initial = compare_pairs(first.pairs.base, first.pairs.candidate, policy)
        again = compare_pairs(second.pairs.base, second.pairs.candidate, policy) if second else None
        return pairs_wanted(initial, again, policy)

    def _smallest(self) -> list[Cell]:
        """A run that is not counted for each side of each engine, on its smallest cell."""
        found: dict[str, Cell] = {}
        for cell in sorted(self._request.cells, key=lambda cell: cell.employees * cell.years):
            found.setdefault(cell.engine, cell)
        return list(found.values())

    def _round(self, taken: dict[Cell, Taken], cells: Sequence[Cell], pairs: int) -> None:
        """Pair after pair over all cells, base and candidate first by turns, so that drift meets both sides alike."""
        for number in range(pairs):
            going = [cell for cell in cells if not taken[cell].failed]
            for index, cell in enumerate(going):
                rest = [*going[index:], *(going * (pairs - number - 1))] * 2
                for side in SIDES if number % 2 == 0 else reversed(SIDES):
                    taken[cell].of(side).append(self._run(cell, side, number, rest[1:]))

    def _run(self, cell: Cell, side: Which, number: int, rest: Sequence[Cell]) -> Run:
        request = self._request
        where = request.base if side == "base" else request.candidate
        self._teller.running(cell, left(self._forecast, [cell, *rest]))
        allowed = RUN_SECONDS
        if request.timeout is not None:
            remaining = request.timeout - (time.monotonic() - self._begun)
            if remaining <= 0:
                raise OutOfTimeError
            allowed = min(allowed, remaining)
        run = measure(
            where.cell(cell),
            round=number,
            warm_up=number < 0,
            timeout=allowed,
            memory_limit=request.memory_limit,
            folder=request.output,
            root=where.root,
        )
        if run.status == "timeout" and allowed < RUN_SECONDS:
            raise OutOfTimeError
        self._forecast.learn(run.model_copy(update={"cell": cell}))
        self._log.write("run", side=side, run=run)
        self._teller.finished(run, left(self._forecast, rest), side)
        return run
