"""A campaign from its first recheck to its summary."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from differential.identity import commit_of, sources_of
from differential.planted import FAULTS
from scale.log import Log, now
from scale.measuring.host import usable_cores
from scale.nightly import canary, folders
from scale.nightly.child import ROOT
from scale.nightly.corpus import (
    Before,
    add_to_history,
    all_told,
    entry_of,
    merge_failures,
    number_of_next,
    read_history,
)
from scale.nightly.examples import EXAMPLES, forget_old
from scale.nightly.inputs import covered, offer, prune
from scale.nightly.job import Job, Workers
from scale.nightly.ledger import Merged, Result, read_ledger
from scale.nightly.night import coverage_point, covered_now, line_of, night_of
from scale.nightly.plan import OTHERS, Campaign, first_units, others_of, unit_at
from scale.nightly.recheck import recheck
from scale.nightly.records import Ledger, Night, Unit, UnitSettings
from scale.nightly.report import write_summary
from scale.nightly.state import (
    UNITS,
    State,
    alone_in,
    begun,
    read_state,
    results_of,
    resumed,
    to_be_run_again,
    without_result,
    write_state,
)
from scale.sweep.progress import duration

_LOOK_EVERY = 5.0
LEAST_SECONDS = 5.0
"""With less time left than this no unit is begun: it would be over before it had drawn its first worlds."""


@dataclass(frozen=True)
class Request:
    """What a campaign was asked for. part: slice I of N. command: the whole command, which goes on with it when interrupted."""

    engines: tuple[str, ...]
    minutes: float
    seed: int
    part: tuple[int, int]
    corpus: Path
    output: Path
    settings: UnitSettings
    command: str
    with_canary: bool = True


def run_campaign(request: Request, workers: Workers, say: Callable[[str], None]) -> Night:
    """Run it, or go on with the one that was interrupted in its folder; leaves corpus and summary, also when it is interrupted.

    Raises:
        UsageError: a folder is in use or holds something else; nothing was changed.
        KeyboardInterrupt is not raised: the night's status says `interrupted`.
    """
    with alone_in(request.corpus, "--corpus"), alone_in(request.output, "--output"):
        return _Run(request, workers, say).whole()


class _Run:
    """One session of a campaign. Its state is saved after every unit and while they run."""

    def __init__(self, request: Request, workers: Workers, say: Callable[[str], None]) -> None:
        self.request, self.workers, self.say = request, workers, say
        self.state = self._begun()
        self.log = Log(request.output / "log.jsonl", self.state.started)
        self.others = others_of(request.engines)
        if without := [what for what in OTHERS if what not in self.others]:
            say(f"left out, since there is nothing of the kind in these engines: {', '.join(without)}")
        self._told: set[str] = set()

    def whole(self) -> Night:
        """Rechecks, units until the time is over, and the summary."""
        interrupted = False
        try:
            self._recheck()
            self._plan()
            self._fuzz()
        except KeyboardInterrupt:
            interrupted = True
            self.say("interrupted: units are ended, what they have is kept")
        finally:
            self.workers.close()
        return self._finish(interrupted=interrupted)

    def _begun(self) -> State:
        asked, corpus = self.request, self.request.corpus
        met, found = covered(corpus), read_state(asked.output)
        when, commit = now(), commit_of(ROOT)
        entries = folders.adopted(corpus, read_ledger(corpus).entries, lambda path: entry_of(path, when, commit))
        fault = (
            canary.choose(number_of_next(read_history(corpus))).id if asked.with_canary and asked.part[0] == 1 else None
        )
        sources = {spec: sources_of(spec, ROOT) for spec in asked.engines}
        fresh = State(
            started=when, engines=asked.engines, seed=asked.seed, part=asked.part, minutes=asked.minutes,
            workers=self.workers.count, settings=asked.settings, commit=commit, sources=sources, fault=fault,
            ledger=Ledger(entries=tuple(entries)), labels=len(met.labels), pairs=met.pairs,
            inputs=met.inputs,
        )  # fmt: skip
        state = fresh if found is None else resumed(asked.output, found, fresh)
        write_state(asked.output, state)
        return state

    def _recheck(self) -> None:
        """Only failures that are open; of several slices, the first does it for all."""
        if self.state.rechecks is not None:
            return
        entries = [one for one in self.state.ledger.entries if one.state != "retired"]
        mine = entries if self.request.part[0] == 1 else []
        at_once = min(self.workers.count, usable_cores())  # here, wherever units run
        found = recheck(self.request.corpus, mine, at_once, self.say, self.request.engines)
        self._save(rechecks=tuple(found))

    def _plan(self) -> None:
        if self.state.first is None:
            entries = [
                one for one in self._merge(results_of(self.request.output)).entries.values() if one.state == "known"
            ]
            self._save(first=first_units(self._campaign, entries, corpus=self.state.inputs > 0))

    @property
    def _campaign(self) -> Campaign:
        state = self.state
        bird = None if state.fault is None else canary.unit_of(FAULTS[state.fault], state.engines)
        return Campaign(state.engines, state.seed, state.part, 60 * state.minutes, bird, self.others)

    def _fuzz(self) -> None:
        """Units until the time is over; those that run then are waited for: each knows how long it has."""
        running: dict[Future[int], Job] = {}
        first = self.state.first or ()
        again = to_be_run_again(self.request.output, first, self.state.sessions)
        numbers = chain(again, count(max([*begun(self.request.output), *again], default=-1) + 1))
        before, since = self.state.seconds, time.monotonic()
        while True:
            self._save(seconds=before + time.monotonic() - since)
            left = 60 * self.state.minutes - self.state.seconds
            while len(running) < self.workers.count and left > LEAST_SECONDS:
                job = self._job(unit_at(self._campaign, first, next(numbers)), left)
                running[self.workers.submit(job)] = job
                self.log.write("begun", unit=job.unit.name, seconds=job.unit.seconds)
            if not running:
                return
            done, _ = wait(running, timeout=_LOOK_EVERY, return_when=FIRST_COMPLETED)
            for future in done:
                self._take_in(running.pop(future), future.result())

    def _job(self, unit: Unit, left: float) -> Job:
        entries = list(self._merge_of_now().entries.values())
        room = folders.has_room(entries)
        # one whose bundle is gone is looked into once more
        counted = [one for one in entries if one.state == "known" and (one.bundle is not None or not room)]
        known = canary.known_to(unit, entries) if unit.canary else sorted(one.key for one in counted)
        settings = self.request.settings.model_copy(
            update={"corpus": str(self.request.corpus.resolve()), "known": tuple(known)}
        )
        cut = unit.model_copy(update={"seconds": max(1.0, min(unit.seconds, left))})
        return Job(cut, settings, self.request.output / UNITS / unit.name)

    def _take_in(self, job: Job, status: int) -> None:
        if not job.unit.canary:
            offer(self.request.corpus, job.folder)
        results = results_of(self.request.output)
        came = self._merge(results)
        self._save(
            coverage=(*self.state.coverage, coverage_point(self.state, results, covered_now(self.request.corpus)))
        )
        mine = next((one.result for one in results if one.folder == job.folder), None)
        self.log.write("ended", unit=job.unit.name, status=status, worlds=mine.worlds if mine else 0)
        left = max(0.0, 60 * self.state.minutes - self.state.seconds)
        rate = f"{mine.worlds} worlds, {mine.worlds / mine.seconds:.0f}/s" if mine and mine.seconds else "no result"
        self.say(f"{job.unit.name}: {mine.status if mine else 'lost'}, {rate}; {duration(left)} left")
        for key in (*came.new, *came.flaky):
            if key not in self._told:
                self._told.add(key)
                self.say(f"{'new' if key in came.new else 'flaky'} failure: {came.entries[key].headline}")

    def _merge_of_now(self) -> Merged:
        return self._merge(results_of(self.request.output))

    def _merge(self, results: Sequence[Result]) -> Merged:
        state = self.state
        before = Before(state.ledger, state.rechecks or (), state.started, state.commit)
        came, told = merge_failures(self.request.corpus, before, results)
        for line in told:
            self.log.write("limit", text=line)
        return came

    def _finish(self, *, interrupted: bool) -> Night:
        for folder in sorted((self.request.output / UNITS).glob("*")):
            if not folder.name.endswith("-canary"):
                offer(self.request.corpus, folder)
        prune(self.request.corpus)
        forget_old(self.request.corpus / EXAMPLES)
        results = results_of(self.request.output)
        came, met = self._merge(results), covered_now(self.request.corpus)
        earlier = [one for one in read_history(self.request.corpus) if one.started != self.state.started]
        problems = [] if interrupted else without_result(self.request.output, results)
        night = night_of(
            self.state, results, came, met, earlier, problems=problems, interrupted=interrupted,
            command=self.request.command,
        )  # fmt: skip
        write_summary(night, self.request.output, self.request.corpus)
        all_told(self.request.corpus)
        if not interrupted:
            add_to_history(self.request.corpus, line_of(night, len(met.labels)))
            self._save(finished=night.ended)
        return night

    def _save(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)
        write_state(self.request.output, self.state)
