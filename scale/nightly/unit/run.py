"""run_unit: one unit of work from its record to its result folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from differential.cases import PARITY_TESTS
from differential.run import Run
from fixtures.world import World
from scale.nightly.examples import database
from scale.nightly.inputs.atlas import Atlas
from scale.nightly.inputs.index import Entry, load
from scale.nightly.inputs.labels import flags_of
from scale.nightly.records import INPUTS, Unit, UnitResult, UnitSettings, UnitStatus
from scale.nightly.unit.ending import ENDING, go_on
from scale.nightly.unit.judged import Judge, Judged
from scale.nightly.unit.kept import Inputs
from scale.nightly.unit.parity import ENGINE_PAIRS, ParityJudge
from scale.nightly.unit.properties import InvariantsJudge, RelationsJudge
from scale.nightly.unit.replay import Corpus
from scale.nightly.unit.report import Report
from scale.nightly.unit.settle import session_of
from scale.nightly.unit.slowest import Slowest
from scale.nightly.unit.source import Batch, Parents, Source
from scale.nightly.unit.triage import Met, Triage
from scale.nightly.unit.wider import Wider, wider
from scale.status import UsageError

BATCH_SECONDS = 15.0
"""That a batch is to take at the most: so much a killed unit loses, and so late it may end."""
ROUNDS = 3
"""Batches that everything a unit judges is to have within its budget, such as each of the fourteen pairs of several_years."""
LATE_SECONDS = 60.0
"""Beyond its budget that a unit may go on to reduce what its last batch found; then failures get less time."""
LEAST = 4
"""Worlds of a batch at least, however slow an engine is."""
WIDER = ("lifecycle", "environment")
KINDS = (*PARITY_TESTS, "invariants", "relations", *WIDER, "corpus")
"""What a unit may be."""


def run_unit(unit: Unit, settings: UnitSettings, folder: Path) -> UnitResult:
    """Do the unit's work until its budget is used up, and leave result.json, `repros/`, `flaky/` and `inputs/` in the folder.

    A KeyboardInterrupt ends it early: what was done is saved, with status `running`, and it is raised again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(unit, folder)
    try:
        return _Running(unit, settings, folder, report).run()
    except UsageError as error:
        return report.save("refused", str(error))
    except KeyboardInterrupt:
        report.save("running", f"interrupted after {report.seconds:.0f} s")
        raise
    except Exception as error:
        if ENDING.is_set():
            report.save("running", f"interrupted after {report.seconds:.0f} s")
            raise KeyboardInterrupt from None
        # an engine's error is a finding; this one is the unit's own
        report.save("error", f"{type(error).__name__}: {' '.join(str(error).split()):.300}")
        raise


@dataclass
class _Running:
    unit: Unit
    settings: UnitSettings
    folder: Path
    report: Report
    refused: list[str] = field(default_factory=list)

    def run(self) -> UnitResult:
        if self.unit.what not in KINDS:
            raise UsageError(f"what: {self.unit.what!r:.60} is no kind of unit; expected one of {', '.join(KINDS)}")
        self.session = session_of(self.unit, self.settings, self.folder, self.say)
        given = self.settings.census is not None
        private = given and not self.settings.keep_identities
        self.report.of(self.session)
        self.triage = Triage(self.folder, self.settings.known, private=private, say=self.say)
        self.inputs = Inputs(self.folder, on=not given)
        self.slow = Slowest(self.unit.engines, self.unit.seconds, self.session.timeout)
        place, entries = self._corpus()
        self.report.atlas = Atlas(entries.values())
        if self.unit.what == "corpus":
            self._replay(place, entries)
        elif self.unit.what in WIDER:
            self._rounds(wider(self.unit.what, self.session, self.folder, lambda: self._source(None, {})))
        else:
            self._batches(self._judge(), place, entries)
        if not self.refused:
            kept = set(self.report.inputs)
            self.report.slowest = [
                one.model_copy(update={"input": f"{INPUTS}/{one.fingerprint}.json"}) if one.fingerprint in kept else one
                for one in self.slow.found()
            ]
        return self._finish()

    @property
    def _goes_on(self) -> bool:
        """Until the budget is used up, or the canary caught; one batch in any case, however long it took to start."""
        caught = self.unit.canary and any(one.shown == "new" for one in self.triage.found)
        return not self.refused and not caught and (self.left > 0 or not self.report.ticked)

    @property
    def left(self) -> float:
        """Seconds of the budget."""
        return self.unit.seconds - self.report.seconds

    def say(self, line: str) -> None:
        """Progress, for the log of the unit's process."""
        sys.stderr.write(f"{self.report.seconds:8.1f} s  {line}\n")

    def _corpus(self) -> tuple[Path | None, dict[str, Entry]]:
        if self.settings.corpus is None:
            return None, {}
        place = Path(self.settings.corpus) / INPUTS
        if not place.is_dir():
            return None, {}
        entries, told = load(place, mend=False)
        for line in told:
            self.say(line)
        return place, entries

    def _source(self, place: Path | None, entries: dict[str, Entry], first: Sequence[World] = ()) -> Source:
        # worlds of the corpus are no slices of a given census
        steer = self.settings.steer and self.settings.census is None
        return Source(
            self.session, self.report.atlas, Parents.of(place, entries) if steer else None, first=first,
            chunk_seed=self.unit.chunk_seed, database=database(self.settings.examples),
        )  # fmt: skip

    def _judge(self) -> Judge:
        if self.unit.what == "invariants":
            return InvariantsJudge(self.session)
        if self.unit.what == "relations":
            return RelationsJudge(self.session)
        return ParityJudge(self.session, ENGINE_PAIRS if self.unit.what in ENGINE_PAIRS else (self.unit.what,))

    def _batches(self, judge: Judge, place: Path | None, entries: dict[str, Entry]) -> None:
        """Batch after batch; the number of worlds in each follows from how long the last of the same kind took."""
        first = [self.session.world if self.unit.what in _WHOLE else self.session.short_world]
        source = self._source(place, entries, first if self.settings.census else ())
        seconds = min(BATCH_SECONDS, self.unit.seconds / (ROUNDS * judge.turns))
        # of each turn its own: some pairs take ten times as long as the one before them
        counts = [judge.first] * judge.turns
        slowest = 0.0
        try:
            for number in count():
                turn = number % judge.turns
                if number == judge.turns:
                    self._own(judge, slowest)
                if not self._goes_on:
                    break
                batch = source.take(counts[turn])
                started = self.report.seconds
                self._take(judge.judge(batch, self.left), batch, source.parents)
                took = max(0.01, self.report.seconds - started)
                if turn == 0:  # what another pair of sides takes says nothing of the worlds
                    self.slow.note(took, batch.worlds)
                slowest = max(slowest, took / max(1, batch.rows))
                counts[turn] = max(LEAST, min(judge.most, int(counts[turn] * seconds / took)))
        finally:
            source.close()
            if source.problem:
                self.report.notes.append(source.problem)

    def _own(self, judge: Judge, cost: float) -> None:
        """The judge's own inputs, those for which the time seems to do. cost: seconds that a row took at the most so far.

        The corpus is of small worlds, so that these are no inputs for it.
        """
        for batch in judge.own:
            if (likely := cost * batch.rows * judge.turns) > self.left:
                self.say(f"{len(batch.worlds[0].census)} people are left out: they may take {likely:.0f} s")
                continue
            for _ in range(judge.turns):
                if not self._goes_on:
                    return
                self._take(replace(judge.judge(batch, self.left), runs=[]), batch)

    def _take(self, judged: Judged, batch: Batch, parents: Parents | None = None) -> None:
        """What came of a batch, into the result; it is saved before anything is looked into."""
        go_on()
        report, met_before = self.report, self.report.worlds
        report.worlds += judged.worlds
        report.employees += judged.employees
        report.left += judged.left
        for worlds, run in judged.runs:
            self._label(worlds, run, parents)
        if judged.refused:
            self.refused.append(judged.refused)
        report.tick()
        for suspect in sorted(judged.suspects, key=lambda one: len(one.world.census) * len(one.world.scenario.years)):
            place = _place(batch, suspect.world)
            origin = batch.origins.get(batch.worlds[place].fingerprint, "drawn") if place is not None else "drawn"
            met = Met(report.seconds, met_before + 1 + (place or 0), origin, late=self.left <= -LATE_SECONDS)
            self.triage.meet(suspect, met, self._save_found)
        if judged.suspects:
            self._save_found()

    def _save_found(self) -> None:
        self.report.found = self.triage.found
        self.report.save()

    def _label(self, worlds: Sequence[World], run: Run, parents: Parents | None) -> None:
        """Count what the worlds showed, and hand over those that show something new."""
        try:
            flags = flags_of(worlds, run)
        except Exception as error:  # noqa: BLE001 - an attached engine's tables may have any form; a comparison tells that
            self.say(f"labels of {len(worlds)} worlds cannot be told: {type(error).__name__}")
            return
        wanted = self.report.atlas.meet(worlds, flags)
        chosen = [worlds[index] for index in wanted]
        self.report.inputs += self.inputs.add(chosen, [flags[index] for index in wanted])
        if parents is not None:
            for index in wanted:
                parents.add(worlds[index], flags[index])

    def _rounds(self, what: Wider) -> None:
        while self._goes_on:
            report = self.report
            met = Met(report.seconds, report.worlds, "drawn", late=False)
            done = what.round(self.left, met)
            go_on()
            report.worlds += done.worlds
            report.employees += done.employees
            if done.refused:
                self.refused.append(done.refused)
            for found in done.found:
                self.triage.add(found)
            report.found = self.triage.found
            report.tick()

    def _replay(self, place: Path | None, entries: dict[str, Entry]) -> None:
        corpus = Corpus(self.session, place, sorted(entries), self.say)
        for batch, judge in corpus.batches():
            if not self._goes_on:
                corpus.stop()
                break
            self._take(judge(batch), batch)
        self.report.notes += corpus.notes

    def _finish(self) -> UnitResult:
        report = self.report
        report.found = self.triage.found
        refused = "; ".join(dict.fromkeys(self.refused))
        status: UnitStatus = "fail" if report.found else "refused" if refused or not report.worlds else "pass"
        return report.save(status, refused or ("" if report.worlds else "nothing was judged"))


_WHOLE = (*ENGINE_PAIRS, "oracle", "invariants")
"""Kinds that take a given census under all its years."""


def _place(batch: Batch, world: World) -> int | None:
    """Where in its batch a world was, also one that got another name before it ran; None for a check's own inputs."""
    return next((place for place, one in enumerate(batch.worlds) if one.census is world.census), None)
