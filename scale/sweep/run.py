"""The sweep's loop: warm-up, rounds over all cells, more rounds where the exponent is undecided, repeated runs in one process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from differential.session import ROOT
from scale.log import Log, now
from scale.measuring import measure, measure_leak
from scale.records import Cell, Leak, Run, Sweep
from scale.status import Verdict, gravest
from scale.sweep.analysis import analyse, undecided
from scale.sweep.progress import Forecast, Teller, left, telling
from scale.sweep.request import DEFAULT_CELL_TIMEOUT, SweepRequest, order_of_round
from scale.sweep.state import SweepState, begin

WARM_UP_ROUND = -1
LEAK_CELL = {"employees": 2000, "years": 3}


class OutOfTimeError(Exception):
    """The time given for the whole sweep is over."""


class Sweeper:
    """One sweep under way."""

    def __init__(self, request: SweepRequest, state: SweepState, teller: Teller, log: Log) -> None:
        self._request, self.state, self._teller, self._log = request, state, teller, log
        self._forecast = Forecast()
        self._begun = time.monotonic()
        for run in state.sweep.runs:
            self._forecast.learn(run)

    def all(self) -> None:
        """Warm up, then measure what is not there yet. Raises OutOfTimeError; what was measured is saved."""
        request = self._request
        todo = [
            (cell, number)
            for number in range(request.runs)
            for cell in order_of_round(request.cells, number)
            if not self.state.has(cell.key, number)
        ]
        if todo:
            for cell in self._smallest():
                self._run(cell, WARM_UP_ROUND, [cell for cell, _ in todo])
        for index, (cell, number) in enumerate(todo):
            self._run(cell, number, [cell for cell, _ in todo[index + 1 :]])
        if request.leak:
            self._leaks()
        self._more_rounds()

    def _more_rounds(self) -> None:
        """An undecided exponent gets more repeats of its sizes, as many rounds as the policy allows."""
        for extra in range(self._request.policy.sufficiency.extra_rounds_when_inconclusive):
            cells = [cell for cell in undecided(self.state.sweep, self._request.policy) if cell in self._request.cells]
            number = self._request.runs + extra
            todo = [cell for cell in order_of_round(cells, number) if not self.state.has(cell.key, number)]
            if not cells:
                return
            self._teller.say(f"the exponent is undecided: {len(cells)} cells run once more")
            self._teller.more(len(todo))
            for index, cell in enumerate(todo):
                self._run(cell, number, todo[index + 1 :])

    def _smallest(self) -> list[Cell]:
        """The smallest cell of each engine: a run that is not judged fills the disk's cache and compiles what is compiled once."""
        by_engine: dict[str, Cell] = {}
        for cell in self._request.cells:
            by_engine.setdefault(cell.engine, cell)
        return list(by_engine.values())

    def _run(self, cell: Cell, number: int, rest: Sequence[Cell]) -> None:
        request = self._request
        allowed, cut = self._allowed(request.cell_timeout(cell))
        self._teller.running(cell, self._forecast.seconds(cell) + left(self._forecast, rest))
        run = measure(
            cell,
            round=number,
            warm_up=number == WARM_UP_ROUND,
            timeout=allowed,
            memory_limit=request.memory_limit,
            folder=request.output,
        )
        if run.status == "timeout" and cut:
            raise OutOfTimeError  # ended by the sweep's own limit: no result of the cell
        self._keep(run)
        self._teller.finished(run, left(self._forecast, rest))

    def _keep(self, run: Run) -> None:
        self._forecast.learn(run)
        self._log.write("run", run=run)
        self.state.add_run(run)

    def _allowed(self, wanted: float) -> tuple[float, bool]:
        """Seconds the next run may take, and whether the sweep's limit is what sets them."""
        if self._request.timeout is None:
            return wanted, False
        remaining = self._request.timeout - (time.monotonic() - self._begun)
        if remaining <= 0:
            raise OutOfTimeError
        return min(wanted, remaining), remaining < wanted

    def _leaks(self) -> None:
        policy = self._request.policy.memory
        done = {leak.cell.engine for leak in self.state.sweep.leaks}
        for engine in self._request.engines:
            if engine not in done:
                self.state.add_leak(self._leak(engine, policy.leak_warm_up_runs + policy.leak_runs))

    def _leak(self, engine: str, repeats: int) -> Leak:
        cell = Cell(engine=engine, **LEAK_CELL)
        allowed, cut = self._allowed(DEFAULT_CELL_TIMEOUT)
        self._teller.say(f"{cell.key}: {repeats} runs in one process, to see whether memory is given back")
        leak = measure_leak(cell, repeats=repeats, timeout=allowed, folder=self._request.output)
        if leak.status == "timeout" and cut:
            raise OutOfTimeError
        self._log.write("leak", leak=leak)
        return leak


def run_sweep(request: SweepRequest, root: Path = ROOT) -> Sweep:
    """Run (or go on with) the sweep and judge it; returns the finished record, which results.json holds too.

    Raises:
        UsageError: the output folder holds another sweep.
        KeyboardInterrupt: interrupted; everything measured is saved and judged, and no child is left.
    """
    state = begin(request, root)
    log = Log(request.output / "log.jsonl", state.sweep.run_id)
    log.write(
        "begin",
        command=request.command,
        machine=state.sweep.machine,
        planned=len(request.cells),
        resumed=bool(state.sweep.runs),
    )
    total = len(request.engines) + sum(
        not state.has(cell.key, number) for cell in request.cells for number in range(request.runs)
    )
    interruption: KeyboardInterrupt | None = None
    out_of_time = False
    try:
        with telling(total) as teller:
            Sweeper(request, state, teller, log).all()
    except OutOfTimeError:
        out_of_time = True
    except KeyboardInterrupt as raised:
        interruption = raised
    _judge(state, request, out_of_time=out_of_time)
    log.write("end", verdict=state.sweep.verdict, complete=state.sweep.complete)
    if interruption is not None:
        raise interruption
    return state.sweep


def _judge(state: SweepState, request: SweepRequest, *, out_of_time: bool) -> None:
    complete = all(state.has(cell.key, number) for cell in request.cells for number in range(request.runs))
    state.update(complete=complete, finished=now())
    series, checks = analyse(state.sweep, request.policy)
    late: list[Verdict] = ["timeout"] if out_of_time else []
    state.update(series=series, checks=checks, verdict=gravest([*(check.verdict for check in checks), *late]))
