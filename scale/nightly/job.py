"""A job: one unit with its settings and the folder for its result; what a pool or a cluster takes."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scale.nightly.records import Unit, UnitSettings


@dataclass(frozen=True)
class Job:
    """folder: of this machine, made by whoever runs the job; afterwards it holds result.json, `repros/`, `flaky/` and `inputs/`."""

    unit: Unit
    settings: UnitSettings
    folder: Path


class Workers(Protocol):
    """Where jobs run: processes of this machine, or a cluster."""

    @property
    def count(self) -> int:
        """How many jobs run at a time."""
        ...

    def submit(self, job: Job) -> Future[int]:
        """Begin a job as soon as a worker is free; the future gives the unit's exit status (scale.status.Status).

        It raises nothing for what a unit does: one that hung, died or was lost has a result.json that says so, or the `running` one
        of its last batch.
        """
        ...

    def close(self) -> None:
        """Stop what runs, at once, and wait until it is gone."""
        ...
