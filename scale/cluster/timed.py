"""Commands that are timed, from this side: a worker that stands for its host, a command begun there, and what became of it.

A worker is bound to nothing on its host, and Dask knows no hosts: so one worker stands for each, always the same one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from scale.cluster.command import Order, run_command
from scale.cluster.connection import (
    FIRST_WORKER_SECONDS,
    NEXT_WORKER_SECONDS,
    Roster,
    Say,
    close_quietly,
    connect,
    running,
)
from scale.cluster.fitness import Facts
from scale.cluster.task import Answer, idle
from scale.status import UsageError

LIVES = 3
"""A command under which so many hosts were lost most likely takes them down: too much memory, say."""
LOOK_EVERY = 0.5
"""Seconds between two looks at what runs."""
END_SECONDS = 40.0
"""A command that is ended takes 15 s at most, its measured child some more."""

FETCH_SECONDS = 300.0
"""An answer of 500 MB takes a minute or two."""


@dataclass
class Task:
    """A command under way. address: of its worker, on the host `there`. begun: how often it has begun: a worker that is started
    again at its address is given the command again by Dask. last: its last line, which says what was wrong."""

    order: Order
    future: Any
    address: str
    there: Facts
    begun: int = 0
    last: str = "it left no results"


@dataclass(frozen=True)
class Failure:
    """Why a command has no answer. lost: its host was lost, so that it may be begun again; else it would fail again."""

    lost: bool
    reason: str


class Hosts:
    """The hosts of the cluster at `address`, and our commands on them. engines: SPECs that they need. heard: is given the name of
    a command and a line that it printed.

    Raises UsageError as `connect`. `end` has to be called whatever happens.
    """

    def __init__(self, address: str, engines: Iterable[str], say: Say, heard: Callable[[str, str], None]) -> None:
        self.address, self._heard = address, heard
        self._client = connect(address)
        self._topic = f"workforce-parity-{secrets.token_hex(4)}"
        self.tasks: list[Task] = []
        self._seen = False
        try:
            self.roster = Roster(self._client, address, engines, say)
            self._client.subscribe_topic(self._topic, self._event)
        except BaseException:
            close_quietly(self._client)
            raise

    def fit(self) -> dict[str, Facts]:
        """One fit worker for each host: the first by address, so that two clients take the same one. Raises as Roster.fit."""
        found: dict[str, tuple[str, Facts]] = {}
        for address, there in sorted(self.roster.fit().items()):
            found.setdefault(there.host, (address, there))
        self._seen |= bool(found)
        return dict(found.values())

    def wait(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Until there is one, or `stop` says so; longer where there was one before. Raises as Roster.wait."""
        self.roster.wait(NEXT_WORKER_SECONDS if self._seen else FIRST_WORKER_SECONDS, stop)

    def start(self, order: Order, address: str, there: Facts) -> Task:
        """Hand a command to that worker."""
        import dask

        # an archive in the order goes to one worker once, which is no graph that Dask has to warn of
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
            future = self._client.submit(
                run_command, order, self.roster.here, self._topic,
                workers=[address], pure=False, key=f"{self._topic}-{order.name}-{secrets.token_hex(3)}",
            )  # fmt: skip
        task = Task(order, future, address, there)
        self.tasks.append(task)
        return task

    def ended(self, task: Task) -> Answer | Failure | None:
        """What became of it; None while it runs. A worker that has become unfit is told of and given nothing more.

        Raises OSError without a scheduler.
        """
        alive = self.roster.alive()
        if not running(self._client):
            raise ConnectionError("the connection to it was lost")
        pending = task.future.status == "pending"
        if pending and task.address in alive and task.begun < 2:
            return None
        finished = task.future.status == "finished"
        # a worker that is lost before its answer has come leaves a task that is pending again
        answer: Answer | None = task.future.result(timeout=FETCH_SECONDS) if finished else None
        self.tasks.remove(task)
        if pending:
            task.future.cancel()
        elif answer is not None:
            if answer.unfit:
                self.roster.refuse(answer.worker, list(answer.unfit))
            return answer
        elif task.future.status == "error":
            error = task.future.exception()
            if type(error).__name__ != "KilledWorker":
                said = f"it could not be run on {task.there.name}: {type(error).__name__}: {error}"
                return Failure(lost=False, reason=said)
        return Failure(lost=True, reason=f"{task.there.name} ({task.address}) was lost")

    def check(self, error: OSError, then: str) -> None:
        """After an OSError: nothing where the scheduler is there, else UsageError. then: what is kept, and what to do."""
        if not running(self._client):
            raise UsageError(f"--cluster {self.address}: the scheduler is gone ({error}); {then}") from None

    def end(self) -> None:
        """Cancel what runs, and wait until it is gone from the workers."""
        for task in self.tasks:
            with suppress(Exception):
                task.future.cancel()
        if running(self._client):
            with suppress(Exception):
                self._client.run(idle, self._topic, END_SECONDS, on_error="ignore")
        close_quietly(self._client)

    def _event(self, event: tuple[float, Any]) -> None:
        told = event[1]
        if not isinstance(told, dict):
            return
        for task in list(self.tasks):  # none, if a lost worker is heard late
            if (task.order.name, task.address) == (told["task"], told["worker"]):
                task.begun += "begun" in told
                task.last = told.get("line", task.last)
        if "line" in told:
            self._heard(told["task"], told["line"])
