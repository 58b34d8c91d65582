"""result.json of a unit, written anew after each batch: whatever ends the unit, what it did by then is there."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from differential.session import Session
from scale.log import now
from scale.nightly.inputs.atlas import Atlas
from scale.nightly.records import RESULT, Found, SlowWorld, Tick, Unit, UnitResult, UnitStatus
from scale.records import write_record

MOST_TICKS = 400
"""Beyond, every second one is dropped: a picture of an hour needs no more."""


class Report:
    """The result of a unit in progress. left: worlds that could not be judged, since others made an engine raise."""

    def __init__(self, unit: Unit, folder: Path) -> None:
        self._unit, self._folder = unit, folder
        self._started, self.since = now(), time.monotonic()
        self._session: Session | None = None
        self._ticks: list[Tick] = []
        self.atlas = Atlas()
        self.worlds = self.employees = self.left = 0
        self.inputs: list[str] = []
        self.found: tuple[Found, ...] = ()
        self.slowest: list[SlowWorld] = []
        self.notes: list[str] = []
        self.save()

    @property
    def seconds(self) -> float:
        """Since the unit began."""
        return round(time.monotonic() - self.since, 2)

    @property
    def ticked(self) -> bool:
        """Whether a batch is done."""
        return bool(self._ticks)

    def of(self, session: Session) -> None:
        """From now on with what the session knows of engines and libraries."""
        self._session = session

    def tick(self) -> None:
        """Note how far the unit is, and save."""
        labels, pairs = self.atlas.met
        self._ticks.append(Tick(seconds=self.seconds, worlds=self.worlds, labels=labels, pairs=pairs))
        if len(self._ticks) > MOST_TICKS:
            del self._ticks[::2]
        self.save()

    def save(self, status: UnitStatus = "running", reason: str = "") -> UnitResult:
        """Write result.json in place of the one before."""
        told = [reason] if reason else []
        if self.left:
            told.append(f"{self.left} worlds were not judged, since others made an engine raise")
        session = self._session
        result = UnitResult(
            unit=self._unit,
            status=status,
            reason="; ".join([*told, *self.notes]),
            started=self._started,
            seconds=self.seconds,
            worlds=self.worlds,
            employees=self.employees,
            labels=dict(self.atlas.labels),
            inputs=tuple(self.inputs),
            found=self.found,
            slowest=tuple(self.slowest),
            ticks=tuple(self._ticks),
            versions=session.versions if session else {},
            commit=session.commit if session else None,
            sources=session.sources if session else {},
            host=socket.gethostname(),
        )
        write_record(self._folder / RESULT, result)
        return result
