"""The local pool: each unit in a process of its own, so many at a time, and none left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from scale.ci.steps import end
from scale.nightly.child import environment
from scale.nightly.job import Job
from scale.nightly.records import RESULT, UnitResult, UnitStatus
from scale.nightly.watch import TooMuchMemoryError, memory_of_a_unit, wait_for
from scale.records import read_record, write_record
from scale.status import Status, UsageError

JOB, LOG = "job.json", "log.txt"
ROOM = 600.0
"""Seconds beyond twice its budget after which a unit hangs: its last batch, a reduction and the relations of a slow engine fit."""


UNIT = (sys.executable, "-m", "scale.nightly.unit")


class LocalPool:
    """Processes of this machine. count: units at a time. command: what runs a unit, given the job's file and folder.

    memory: bytes that are shared by the units, None = all that this process may use.
    """

    def __init__(self, count: int, command: Sequence[str] = UNIT, *, memory: int | None = None) -> None:
        self._count, self._command = count, list(command)
        self._limit = memory_of_a_unit(count, memory)
        self._pool = ThreadPoolExecutor(max_workers=count)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def count(self) -> int:
        return self._count

    def submit(self, job: Job) -> Future[int]:
        return self._pool.submit(self._run, job)

    def close(self) -> None:
        """Ask every unit to end, which saves what it has; kill what does not."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        enders = [threading.Thread(target=end, args=(process,)) for process in running]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: Job) -> int:
        job.folder.mkdir(parents=True, exist_ok=True)
        asked = {"unit": job.unit.model_dump(mode="json"), "settings": job.settings.model_dump(mode="json")}
        (job.folder / JOB).write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")
        started = time.monotonic()
        process = self._start(job)
        if process is None:
            return int(Status.INTERRUPTED)
        try:
            status = wait_for(process, 2 * job.unit.seconds + ROOM, self._limit)
        except TooMuchMemoryError as error:
            settle(job.folder, "error", f"{error}. Run fewer at a time, or see what its engines hold")
            return int(Status.INSUFFICIENT)
        except subprocess.TimeoutExpired:
            end(process)
            took = time.monotonic() - started
            settle(job.folder, "hung", f"it was ended after {took:.0f} s; its budget was {job.unit.seconds:.0f} s")
            return int(Status.TIMEOUT)
        finally:
            with self._lock:
                self._running.discard(process)
        if not self._closed and status not in (Status.PASS, Status.FAIL, Status.INSUFFICIENT):
            settle(job.folder, "error", died(status, job.folder / LOG))
        return status

    def _start(self, job: Job) -> subprocess.Popen[bytes] | None:
        with self._lock, (job.folder / LOG).open("wb") as log:
            if self._closed:
                return None
            process = subprocess.Popen(
                [*self._command, str(job.folder / JOB), str(job.folder)],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the campaign alone, which then ends its units in order
            )
            self._running.add(process)
            return process


def died(status: int, log: Path) -> str:
    """What is said of a unit whose process ended as no unit should."""
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] if log.exists() else []
    return f"its process {how}: {' '.join(last):.300}" if last else f"its process {how}"


def settle(folder: Path, status: UnitStatus, reason: str) -> None:
    """Write what became of a unit that could not say so itself into its result, beside what it had done."""
    path = folder / RESULT
    try:
        result = read_record(path, UnitResult)
    except UsageError:
        return  # it never began; the campaign says so
    write_record(path, result.model_copy(update={"status": status, "reason": reason}))
