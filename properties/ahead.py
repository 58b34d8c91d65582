"""Ahead: work that a second process does while this one goes on; the suite has two cores, and most of a run is one process's."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from differential import workers
from differential.variant import LEGACY_FLAG

_LONGEST = 3_600.0


class Ahead:
    """Jobs, done one after the other in processes of their own, in the order in which they were begun."""

    def __init__(self) -> None:
        self._jobs: dict[str, Future[Any]] = {}
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        # Relations set and clear the flag in this process while a job is begun from it.
        self._environment = {LEGACY_FLAG: os.environ.get(LEGACY_FLAG, "")}
        # A daemon: a session that is stopped does not wait for work that nobody asks for any more.
        threading.Thread(target=self._work, daemon=True).start()

    def begin(self, name: str, target: str, *arguments: Any) -> None:
        """Do `target` ("package.module:function") with `arguments` as soon as the jobs before it are done."""
        job: Future[Any] = Future()
        self._jobs[name] = job
        env = self._environment
        self._waiting.put((job, lambda: workers.call(target, *arguments, env=env, fresh=True, timeout=_LONGEST)))

    def result(self, name: str, otherwise: Callable[[], Any]) -> Any:
        """What the job gave, once it is done, or what it raised; `otherwise` where it was never begun."""
        job = self._jobs.get(name)
        return otherwise() if job is None else job.result()

    def _work(self) -> None:
        while True:
            job, work = self._waiting.get()
            try:
                job.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
                job.set_exception(error)
