"""The corpus replayed: every input through all engines against each other, and small ones through the first and the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from differential.session import Session
from fixtures.world import World
from scale.nightly.inputs.index import file_of
from scale.nightly.inputs.text import InputError, read_input
from scale.nightly.unit.judged import Judged
from scale.nightly.unit.parity import ENGINE_PAIRS, ParityJudge
from scale.nightly.unit.source import Batch
from scale.status import UsageError

TOGETHER = 256
SMALL = 64
"""People times years up to which an input also goes through the oracle, which simulates one person at a time."""


class Corpus:
    """The inputs of a folder. Raises UsageError where there is nothing to replay. notes: sentences on what did not run."""

    def __init__(
        self, session: Session, place: Path | None, fingerprints: Sequence[str], say: Callable[[str], None]
    ) -> None:
        if place is None or not fingerprints:
            raise UsageError("corpus: there are no inputs to replay")
        self._place, self._fingerprints = place, fingerprints
        self._judge = ParityJudge(session, (*ENGINE_PAIRS, "oracle"))
        first = session.engines[0]
        self._cases = [
            case for case in self._judge.cases if case.test in ENGINE_PAIRS or case.pairs[0][0].engine == first
        ]
        self._say, self._done, self._ended = say, 0, False
        self._unreadable: list[str] = []

    @property
    def notes(self) -> list[str]:
        """What did not run, and why."""
        found = list(self._unreadable[:5])
        more = len(self._unreadable) - len(found)
        found += [f"{more} more inputs cannot be read"] if more else []
        if self._ended:
            left = len(self._fingerprints) - self._done
            found.append(f"{left} of {len(self._fingerprints)} inputs did not run: the time was used up")
        return found

    def batches(self) -> Iterator[tuple[Batch, Callable[[Batch], Judged]]]:
        """Batches of inputs, each with what judges it; few years go with few, since a pass takes as long as its longest world."""
        for start in range(0, len(self._fingerprints), TOGETHER):
            part = self._fingerprints[start : start + TOGETHER]
            worlds = self._read(part)
            if worlds:
                yield Batch(worlds, {}, {world.fingerprint: "corpus" for world in worlds}), self._all
            self._done = start + len(part)

    def stop(self) -> None:
        """The time is used up: a batch that was asked for and not judged did not run."""
        self._ended = True

    def _all(self, batch: Batch) -> Judged:
        """All cases over a batch as one: a world counts once."""
        total = Judged()
        for case in self._cases:
            worlds = batch.worlds if case.test != "oracle" else tuple(filter(_small, batch.worlds))
            if not worlds:
                continue
            found = self._judge.compare(case, 0, Batch(worlds, batch.chunks, batch.origins))
            total.worlds = max(total.worlds, found.worlds)
            total.employees = max(total.employees, found.employees)
            total.suspects += found.suspects
            total.runs = total.runs or found.runs
            total.refused = total.refused or found.refused
            total.left += found.left
        return total

    def _read(self, fingerprints: Sequence[str]) -> tuple[World, ...]:
        worlds = []
        for fingerprint in fingerprints:
            try:
                worlds.append(read_input(file_of(self._place, fingerprint)))
            except InputError as error:
                self._unreadable.append(str(error))
        return tuple(worlds)


def _small(world: World) -> bool:
    return len(world.census) * len(world.scenario.years) <= SMALL
