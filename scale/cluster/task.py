"""What our tasks on a worker have in common: what they hand back, and whether anyone still waits for it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scale.cluster.fitness import Facts, differences, facts
from scale.cluster.parcel import unpack
from scale.measuring.host import total_memory

LOOK_EVERY = 0.5
"""Seconds between two looks whether a task is still wanted."""
_running: Counter[str] = Counter()


@dataclass(frozen=True)
class Answer:
    """status: exit status of the process. parcel: its folder. unfit: why this worker did not begin at all. there: of the worker.

    lacks: what `install` had put on this worker and is not there: another process has taken its address since.
    """

    worker: str
    there: Facts
    status: int = 0
    parcel: bytes = b""
    unfit: tuple[str, ...] = ()
    lacks: str = ""
    seconds: float = 0.0


class Place:
    """A task under way on a worker. folder: for its files, removed with it. there: what the worker runs on."""

    def __init__(self, worker: Any, key: str, folder: Path, there: Facts, topic: str, name: str) -> None:
        self._worker, self._key, self._topic, self._name = worker, key, topic, name
        self.folder, self.there, self._begun = folder, there, time.monotonic()

    def tell(self, **facts: Any) -> None:
        """An event for the client."""
        self._worker.log_event(self._topic, {"task": self._name, "worker": self._worker.address, **facts})

    def wanted(self) -> bool:
        """False once the task was cancelled, or its client is gone: Dask cannot end a thread, so the task has to look."""
        state = self._worker.state.tasks.get(self._key)
        return state is not None and str(state.state) == "executing"

    @property
    def memory(self) -> int:
        """Bytes that one task may use: a thread's part of what Dask gives this worker, or of all there is."""
        limit = self._worker.memory_manager.memory_limit
        return int(limit or total_memory()) // int(self._worker.state.nthreads)

    def shared(self, name: str) -> Path:
        """A folder that `install` put on this worker."""
        return Path(self._worker.local_directory) / name

    def answer(self, **found: Any) -> Answer:
        """What is handed back."""
        return Answer(self._worker.address, self.there, seconds=time.monotonic() - self._begun, **found)


@contextmanager
def placed(topic: str, name: str, expected: Facts) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """A task's place on the worker that runs it, and why it may not begin there, if so. The client is told that it begins."""
    from distributed import get_worker
    from distributed.worker import thread_state

    worker, there = get_worker(), facts(expected.engines)
    against = tuple(differences(expected, there))
    with TemporaryDirectory(prefix="task-", dir=worker.local_directory, ignore_cleanup_errors=True) as folder:
        place = Place(worker, str(thread_state.key), Path(folder), there, topic, name)
        _running[topic] += 1
        try:
            if not against:
                place.tell(begun=there.name)
            yield place, against
        finally:
            _running[topic] -= 1


async def install(name: str, data: bytes, dask_worker: Any) -> None:
    """Unpack an archive beside the worker's own files, which go with it."""
    await asyncio.to_thread(unpack, data, Path(dask_worker.local_directory) / name)


async def remove(name: str, dask_worker: Any) -> None:
    """Remove what `install` put there."""
    await asyncio.to_thread(shutil.rmtree, Path(dask_worker.local_directory) / name, ignore_errors=True)


async def idle(topic: str, seconds: float) -> bool:
    """Wait until no task of that topic runs on this worker."""
    until = time.monotonic() + seconds
    while _running[topic] and time.monotonic() < until:
        await asyncio.sleep(0.1)
    return not _running[topic]
