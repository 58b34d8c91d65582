"""A cluster as the place where units run: Dask decides on which worker and runs the units of lost workers again.

Dask's scheduler is the team's own; this only hands it units and takes in what comes back. Each unit is one task, on one thread of
a worker, in a process of its own there (scale/nightly/remote.py).
"""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from scale.cluster.connection import (
    FIRST_WORKER_SECONDS,
    NEXT_WORKER_SECONDS,
    Roster,
    Say,
    close_quietly,
    connect,
    running,
)
from scale.cluster.parcel import ParcelError, unpack
from scale.cluster.task import Answer, idle
from scale.log import now
from scale.nightly.job import Job
from scale.nightly.records import RESULT, UnitResult, UnitStatus
from scale.nightly.remote import RUNS_UNIT, run_unit
from scale.nightly.shipment import Shipment
from scale.records import write_record
from scale.reports.units import plural
from scale.status import Status, UsageError

LIVES = 3
"""A unit that was under way on so many workers when they were lost has most likely taken them with it, and is not tried again."""
LOST_SCHEDULER_SECONDS = 60.0
"""A scheduler that is restarted answers again within seconds; the client itself gives up a little sooner."""
MOST_UNITS = 1024
END_SECONDS = 30.0
"""A unit is asked to end, then killed: 15 s at most. After so long the worker itself is gone or stuck."""
_LOOK_EVERY = 0.2


def _to_terminal(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class Again(Exception):  # noqa: N818 - no error: the unit is handed to Dask once more
    """That try came to nothing, through no fault of the unit."""


class Cluster:
    """Workers of the scheduler at `address`. say: takes one line for the terminal. command: for a worker's Python, to run a unit.

    Raises:
        UsageError: the extra is not installed, nobody answers at the address, or no worker is fit; a future raises it when the
            scheduler has gone for good: units that ended are on disk, the others were not begun as far as the campaign knows.
    """

    def __init__(self, address: str, say: Say = _to_terminal, command: Sequence[str] = RUNS_UNIT) -> None:
        self.address, self._say, self._command = address, say, tuple(command)
        self._client = connect(address)
        self._gone = False
        self._topic = f"workforce-parity-{secrets.token_hex(4)}"
        self._begun: dict[str, list[str]] = defaultdict(list)
        self._lock, self._closed = threading.Lock(), threading.Event()
        try:
            self._client.subscribe_topic(self._topic, self._heard)
            self._roster = Roster(self._client, address, (), say)
            fit = self._roster.wait(FIRST_WORKER_SECONDS)
        except BaseException:
            close_quietly(self._client)
            raise
        self._shipment = Shipment(self._client, self._topic, say)
        self._pool = ThreadPoolExecutor(max_workers=MOST_UNITS, thread_name_prefix="cluster")
        hosts = len({found.host for found in fit.values()})
        say(
            f"cluster {address}: {self.count} units at a time on {plural(len(fit), 'worker')} of {plural(hosts, 'host')}"
        )

    @property
    def count(self) -> int:
        """Threads of the workers that are fit now; at least 1, since lost workers are waited for."""
        with suppress(Exception):  # without a scheduler the units' own futures say what is wrong
            self._roster.fit()
            return max(1, self._roster.threads())
        return 1

    def submit(self, job: Job) -> Future[int]:
        if self._closed.is_set() or self._gone:
            raise UsageError(f"--cluster {self.address}: {'the scheduler is gone' if self._gone else 'it was closed'}")
        return self._pool.submit(self._run, job)

    def close(self) -> None:
        """Cancel what runs, wait until its processes are gone, and leave nothing on the workers."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if running(self._client):
            with suppress(Exception):
                self._client.run(idle, self._topic, END_SECONDS, on_error="ignore")
                self._shipment.withdraw()
        close_quietly(self._client)

    def _run(self, job: Job) -> int:
        """One unit until it has a result, however many tries that takes."""
        while not self._closed.is_set():
            try:
                answer = self._try(job)
            except Again as why:
                if not self._closed.is_set():
                    self._say(f"{job.unit.name}: handed out again: {why}")
                continue
            except UsageError:
                raise
            except Exception as error:
                if not isinstance(error, OSError | TimeoutError) and running(self._client):
                    raise
                self._wait_for_scheduler(error)
                continue
            if isinstance(answer, Answer):
                return self._take_in(job, answer)
            status, reason = answer
            return self._give_up(job, status, reason)
        return int(Status.INTERRUPTED)

    def _try(self, job: Job) -> Answer | tuple[UnitStatus, str]:
        with self._lock:
            self._roster.require(job.unit.engines)
            workers = sorted(self._roster.wait(NEXT_WORKER_SECONDS, self._closed.is_set))
            sent, settings, refused = self._shipment.bring(job.settings, workers)
            for address, reason in refused.items():
                self._roster.refuse(address, [reason])
        try:
            able = [address for address in workers if address not in refused]
            if not able:
                raise Again("no worker could store what it reads")
            future = self._client.submit(
                run_unit, job.unit, settings, sent, self._roster.here, self._topic, self._command,
                workers=able, pure=False, key=f"{self._topic}-{job.unit.name}-{secrets.token_hex(3)}",
            )  # fmt: skip
            try:
                return self._outcome(job, future, able)
            finally:
                with suppress(Exception):  # without a scheduler there is nothing to cancel
                    future.cancel()
        finally:
            with self._lock:
                self._shipment.release(sent)

    def _outcome(self, job: Job, future: Any, able: list[str]) -> Answer | tuple[UnitStatus, str]:
        begun = self._begun[job.unit.name]
        while future.status == "pending":
            if self._closed.wait(_LOOK_EVERY):
                raise Again("the campaign ends")
            if len(begun) > LIVES:
                return "lost", self._killed(begun[:LIVES])
            if running(self._client) and not set(able) & set(self._roster.alive()):
                raise Again("all workers that it was given to are gone")
        if future.status == "finished":
            return self._accepted(future.result())
        if future.status == "error":
            error = future.exception()
            if type(error).__name__ == "KilledWorker":
                return "lost", self._killed(begun)
            return "error", f"it could not be run on a worker: {type(error).__name__}: {error}"
        if not running(self._client):
            raise ConnectionError("the connection to the scheduler was lost")
        raise Again("Dask has cancelled it")

    def _accepted(self, answer: Answer) -> Answer:
        if answer.unfit:
            self._roster.refuse(answer.worker, list(answer.unfit))
            raise Again(f"worker {answer.worker} has changed")
        if answer.lacks:
            with self._lock:
                self._shipment.lost(answer.lacks, answer.worker)
            raise Again(f"worker {answer.worker} was started again, without what units read")
        return answer

    def _killed(self, workers: list[str]) -> str:
        return f"{len(workers)} workers were lost while they ran it: {', '.join(workers)}"

    def _take_in(self, job: Job, answer: Answer) -> int:
        try:
            unpack(answer.parcel, job.folder)
        except ParcelError as error:
            return self._give_up(job, "error", f"{error} (from {answer.worker})")
        except OSError as error:
            raise UsageError(f"{job.folder}: cannot be written: {error.strerror}; make room, then go on") from None
        return answer.status

    def _give_up(self, job: Job, status: UnitStatus, reason: str) -> int:
        lost = UnitResult(unit=job.unit, status=status, reason=reason[:2000], started=now())
        write_record(job.folder / RESULT, lost)
        return int(Status.INSUFFICIENT)

    def _wait_for_scheduler(self, error: Exception) -> None:
        until = time.monotonic() + LOST_SCHEDULER_SECONDS
        while not self._closed.wait(_LOOK_EVERY):
            if running(self._client):
                self._client.subscribe_topic(self._topic, self._heard)  # one that was restarted knows nothing of it
                return
            if time.monotonic() > until or str(self._client.status) == "closed":
                self._gone = True
                raise UsageError(
                    f"--cluster {self.address}: the scheduler is gone ({error}); units that ended are kept. Start it again and "
                    "give the same command: it goes on where it stopped"
                ) from None

    def _heard(self, event: tuple[float, Any]) -> None:
        """A unit begins on a worker; if not for the first time, Dask has it from a worker that was lost."""
        told = event[1]
        if isinstance(told, dict) and "begun" in told:
            tries = self._begun[told["task"]]
            tries.append(f"{told['worker']} on {told['begun']}")
            if len(tries) > 1:
                self._say(f"{told['task']}: begun again on {tries[-1]}; {tries[-2]} was lost")
