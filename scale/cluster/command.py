"""A whole command of `python -m scale` on a worker, for what is timed: in a process of its own, one at a time on a host.

python -m scale.cluster.command ARGUMENTS      # as `python -m scale`, and ends with the worker that started it
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from scale.ci.steps import end
from scale.cluster.fitness import Facts
from scale.cluster.parcel import pack
from scale.cluster.task import LOOK_EVERY, Answer, Place, placed
from scale.nightly.child import end_with_campaign, environment
from scale.status import Status

_OF_DASK = "MALLOC_TRIM_THRESHOLD_"
"""Dask's workers are started with it. It changes how memory is given back, so what is measured must not inherit it."""


def run_command(name: str, arguments: Sequence[str], policy: bytes | None, expected: Facts, topic: str) -> Answer:
    """Run `python -m scale ARGUMENTS --output FOLDER` here and hand the folder back. policy: of --policy FILE, its content.

    While it runs nothing else does that is timed by a command like this one, on any worker of this machine.
    """
    with placed(topic, name, expected) as (place, against):
        if against:
            return place.answer(unfit=against)
        output = place.folder / name
        output.mkdir()
        words = [*arguments, "--output", str(output)]
        if policy is not None:
            (place.folder / "policy.yaml").write_bytes(policy)
            words += ["--policy", str(place.folder / "policy.yaml")]
        with _alone(place) as mine:
            status = _run(words, place) if mine else int(Status.INTERRUPTED)
        return place.answer(status=status, parcel=pack({"": output}))


@contextmanager
def _alone(place: Place) -> Iterator[bool]:
    """The lock of this machine, waited for; False where the task was cancelled meanwhile."""
    from distributed import Lock

    lock: Any = Lock(f"workforce-parity-timed-{place.there.host}")
    waited = False
    while not lock.acquire(timeout=10 * LOOK_EVERY):
        if not place.wanted():
            yield False
            return
        if not waited:
            place.tell(line="waits for another timed task of this host")
        waited = True
    try:
        yield True
    finally:
        with suppress(Exception):  # a scheduler that is gone has no locks
            lock.release()


def _run(words: list[str], place: Place) -> int:
    own = {name: value for name, value in environment().items() if name != _OF_DASK}
    process = subprocess.Popen(
        [sys.executable, "-m", "scale.cluster.command", *words],
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    reader = threading.Thread(target=_pass_on, args=(process.stdout, place), daemon=True)
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
        process.stdout.close()


def _pass_on(output: IO[bytes], place: Place) -> None:
    with suppress(ValueError, OSError):  # closed under it
        for line in output:
            if text := line.decode(errors="replace").rstrip():
                place.tell(line=text)


if __name__ == "__main__":
    end_with_campaign()
    from scale.__main__ import main

    sys.exit(main(sys.argv[1:]))
