"""A whole command of `python -m scale` on a worker, for what is timed: in a process of its own, one at a time on a host.

python -m scale.cluster.command ARGUMENTS      # as `python -m scale`, and ends with the worker that started it
"""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any

from scale.ci.steps import end
from scale.cluster.fitness import Facts
from scale.cluster.parcel import pack, unpack
from scale.cluster.task import LOOK_EVERY, Answer, Place, placed
from scale.nightly.child import end_with_campaign, environment
from scale.status import Status

_OF_DASK = "MALLOC_TRIM_THRESHOLD_"
"""Dask's workers are started with it. It changes how memory is given back, so what is measured must not inherit it."""
LEAST_MINUTES = 0.02
"""The least --timeout that a command is given; it takes that long to see that there is none left."""


@dataclass(frozen=True)
class Order:
    """A command for some worker. name: of its output's folder, and of what it tells. arguments: as for `python -m scale`.

    files, folders: an option to the content of the file, or to the archive of the folder, that it names. seconds: for all of it,
    waiting for its turn too; None = no limit. summary: tell what it prints to its standard output as well, not progress alone.
    """

    name: str
    arguments: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: Mapping[str, bytes] = field(default_factory=dict)
    seconds: float | None = None
    summary: bool = True


def run_command(order: Order, expected: Facts, topic: str) -> Answer:
    """Run `python -m scale ARGUMENTS --output FOLDER` here and hand the folder back.

    While it runs nothing else does that is timed by a command like this one, on any worker of this machine.
    """
    begun = time.monotonic()
    until = None if order.seconds is None else begun + order.seconds
    with placed(topic, order.name, expected) as (place, against):
        if against:
            return place.answer(unfit=against)
        output = place.folder / order.name
        output.mkdir()
        words = [*order.arguments, "--output", str(output), *_brought(order, place)]
        with _alone(place, until) as refused:
            if refused is not None:
                return place.answer(status=int(refused))
            if until is not None:
                words += ["--timeout", f"{max(LEAST_MINUTES, (until - time.monotonic()) / 60):.2f}"]
            status = _run(words, place, summary=order.summary)
        return place.answer(status=status, parcel=pack({"": output}))


def _brought(order: Order, place: Place) -> Iterator[str]:
    """Put the order's files and folders beside its output; yields the words that name them."""
    for option, content in order.files.items():
        path = place.folder / "given" / option.strip("-")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        yield from (option, str(path))
    for option, archive in order.folders.items():
        unpack(archive, place.folder / "given" / option.strip("-"))
        yield from (option, str(place.folder / "given" / option.strip("-")))


@contextmanager
def _alone(place: Place, until: float | None) -> Iterator[Status | None]:
    """The lock of this machine, waited for; what to end with where the task was cancelled meanwhile, or its time is over."""
    from distributed import Lock

    lock: Any = Lock(f"workforce-parity-timed-{place.there.host}")
    waited = False
    left = math.inf if until is None else until - time.monotonic()
    while not lock.acquire(timeout=max(0.1, min(10 * LOOK_EVERY, left))):
        if not place.wanted():
            yield Status.INTERRUPTED
            return
        left = math.inf if until is None else until - time.monotonic()
        if left <= 0:
            yield Status.TIMEOUT
            return
        if not waited:
            place.tell(line="waits for another timed task of this host")
        waited = True
    try:
        yield None
    finally:
        with suppress(Exception):  # a scheduler that is gone has no locks
            lock.release()


def _run(words: list[str], place: Place, *, summary: bool) -> int:
    own = {name: value for name, value in environment().items() if name != _OF_DASK}
    process = subprocess.Popen(
        [sys.executable, "-m", "scale.cluster.command", *words],
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if summary else subprocess.DEVNULL,
        stderr=subprocess.STDOUT if summary else subprocess.PIPE,
        start_new_session=True,
    )
    told = process.stdout or process.stderr
    assert told is not None
    reader = threading.Thread(target=_pass_on, args=(told, place), daemon=True)
    reader.start()
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_EVERY)
            if not place.wanted():
                return int(Status.INTERRUPTED)
    finally:
        end(process)
        reader.join(timeout=5)
        told.close()


def _pass_on(output: IO[bytes], place: Place) -> None:
    with suppress(ValueError, OSError):  # closed under it
        for line in output:
            if text := line.decode(errors="replace").rstrip():
                place.tell(line=text)


if __name__ == "__main__":
    end_with_campaign()
    from scale.__main__ import main

    sys.exit(main(sys.argv[1:]))
