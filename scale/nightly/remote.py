"""A unit on a cluster's worker: a process of its own there, watched as in the local pool; its folder goes back whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import wait
from pathlib import Path

from scale.cluster.fitness import Facts
from scale.cluster.parcel import ParcelError, pack
from scale.cluster.task import LOOK_EVERY, Answer, Place, placed
from scale.nightly.examples import usable_here
from scale.nightly.job import Job
from scale.nightly.pool import UNIT, LocalPool, settle
from scale.nightly.records import RESULT, Unit, UnitSettings
from scale.status import Status

RUNS_UNIT = UNIT[1:]
"""What a worker's own Python is given."""
SENT = ("corpus", "census", "scenario", "policy")
"""Settings that are paths, sent along; a unit gets the worker's own."""


def run_unit(
    unit: Unit, settings: UnitSettings, sent: str, expected: Facts, topic: str, command: Sequence[str] = RUNS_UNIT
) -> Answer:
    """Run one unit here. sent: the folder that `install` made on this worker, under which the paths of `settings` are."""
    with placed(topic, unit.name, expected) as (place, against):
        if against:
            return place.answer(unfit=against)
        folder = place.folder / unit.name
        if any(getattr(settings, name) is not None for name in SENT) and not place.shared(sent).is_dir():
            return place.answer(lacks=sent)
        own = {name: str(place.shared(sent) / path) for name in SENT if (path := getattr(settings, name)) is not None}
        here = settings.model_copy(update={**own, "examples": usable_here(settings.examples)})
        status = _run(Job(unit, here, folder), place, command)
        return place.answer(status=status, parcel=packed(folder))


def _run(job: Job, place: Place, command: Sequence[str]) -> int:
    pool = LocalPool(1, (sys.executable, *command), memory=place.memory)
    try:
        future = pool.submit(job)
        while not wait([future], timeout=LOOK_EVERY).done:
            if not place.wanted():
                return int(Status.INTERRUPTED)
        return future.result()
    finally:
        pool.close()


def packed(folder: Path) -> bytes:
    """The unit's folder; of one that is too large to send, the result alone, which says so."""
    try:
        return pack({"": folder})
    except ParcelError as error:
        settle(folder, "error", f"its folder was left on the worker: {error}")
        return pack({RESULT: folder / RESULT} if (folder / RESULT).exists() else {})
