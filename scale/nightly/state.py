"""A campaign on disk: begun, gone on with after it was killed, saved after every unit. Nothing of another campaign is overwritten.

The ledger and the coverage from before are kept in the output folder. What a campaign adds is always worked out from them and from
all results, so it does not matter in the middle of which step it was killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field

from scale.nightly import canary
from scale.nightly.ledger import Result
from scale.nightly.records import RESULT, CoveragePoint, Ledger, Recheck, Unit, UnitResult, UnitSettings
from scale.records import Record, read_record, write_record
from scale.status import UsageError

STATE, UNITS = "campaign.json", "units"
_LOCK_SECONDS = 2.0


class State(Record):
    """campaign.json. seconds: that the units' phase has taken, over all sessions. rechecks: None until they are done. first: the
    units before the rotation. fault: of the canary. ledger: as it was before. labels, pairs, inputs: covered before. sessions: how
    often it was begun or gone on with. workers: units at a time, of all slices together. finished: when the summary was written."""

    schema_version: Literal[1] = 1
    started: str
    engines: tuple[str, ...]
    seed: int
    part: tuple[int, int]
    minutes: float
    workers: int
    settings: UnitSettings
    commit: str | None
    sources: dict[str, str]
    fault: str | None
    ledger: Ledger
    labels: int
    pairs: int
    inputs: int
    rechecks: tuple[Recheck, ...] | None = None
    first: tuple[Unit, ...] | None = None
    seconds: float = 0.0
    sessions: int = 1
    coverage: tuple[CoveragePoint, ...] = Field(default=())
    finished: str | None = None


def read_state(output: Path) -> State | None:
    """The campaign that the folder holds, None if there is none. Raises UsageError for a file that cannot be read."""
    path = output / STATE
    return read_record(path, State) if path.exists() else None


def write_state(output: Path, state: State) -> None:
    """Save it as a whole."""
    write_record(output / STATE, state)


def resumed(output: Path, found: State, fresh: State) -> State:
    """The campaign that was interrupted in the folder, if `fresh` asks for the same one; its time may have changed.

    Raises:
        UsageError: it is finished, or another one; it was left as it is.
    """
    if found.finished is not None:
        raise UsageError(f"{output}: holds a finished campaign of {found.started}; give another folder with --output")
    other = [
        name
        for name, same in {
            "engines": found.engines == fresh.engines,
            "engine code": found.sources == fresh.sources,
            "slice": found.part == fresh.part,
            "census, scenario or policy": input_of(found) == input_of(fresh),
        }.items()
        if not same
    ]
    if other:
        raise UsageError(
            f"{output}: holds an unfinished campaign of {found.started} with other {', '.join(other)}; it was left as it is. "
            "Give another folder with --output"
        )
    return found.model_copy(update={"minutes": fresh.minutes, "sessions": found.sessions + 1})


def results_of(output: Path) -> list[Result]:
    """The results of all units that have one, also of those that were killed in the middle."""
    folder = output / UNITS
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [Result(read_record(path / RESULT, UnitResult), path) for path in paths if (path / RESULT).exists()]


def without_result(output: Path, results: Sequence[Result]) -> list[str]:
    """A sentence on each unit that was begun and left nothing at all."""
    have = {one.folder for one in results}
    return [
        f"Unit {path.name} was begun and left no result"
        for path in sorted((output / UNITS).glob("*"))
        if path not in have
    ]


def begun(output: Path) -> set[int]:
    """Numbers of the units that were begun, whether or not they left a result."""
    folder = output / UNITS
    names = [path.name.partition("-")[0] for path in folder.iterdir()] if folder.is_dir() else []
    return {int(name) for name in names if name.isdigit()}


def to_be_run_again(output: Path, first: Sequence[Unit], session: int) -> list[int]:
    """Numbers of the units before the rotation that an interruption ended; there is no other unit that would do their work.

    What such a unit has done stays, in a folder beside; of the canary nothing stays, nor of a unit that was ended before it began.
    session: how often the campaign was begun; 1: nothing was interrupted.
    """
    if session == 1:
        return []
    folder, again = output / UNITS, []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not (path / RESULT).exists():
            shutil.rmtree(path)
    for unit in first[: max(begun(output), default=-1) + 1]:
        path = folder / unit.name
        result = read_record(path / RESULT, UnitResult) if path.is_dir() else None
        if result is not None and (result.status != "running" or (unit.canary and canary.finds(result.found))):
            continue
        again.append(unit.number)
        if result is not None and unit.canary:
            shutil.rmtree(path)
        elif result is not None:
            path.rename(path.with_name(f"{path.name}-interrupted-{session - 1}"))
    return again


@contextmanager
def alone_in(folder: Path, what: str) -> Iterator[None]:
    """Two campaigns never write to one folder. The lock goes with the process, however that ends.

    Raises:
        UsageError: the folder is in use, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(f"{what} {folder}: cannot be written to: {error.strerror}") from None
    try:
        if not _locked(handle):
            raise UsageError(f"{what} {folder}: another campaign is using it; wait for it, or give another folder")
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Take the lock. Tried for a while: a process that a killed campaign was just starting holds it until it has begun."""
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        else:
            return True


def input_of(state: State) -> dict[str, object]:
    """The settings that decide which worlds there are and how they are compared."""
    return state.settings.model_dump(
        include={"census", "scenario", "years", "employees", "random_seed", "policy", "keep_identities"}
    )
