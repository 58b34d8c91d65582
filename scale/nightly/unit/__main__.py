"""`python -m scale.nightly.unit JOB.json FOLDER`: one unit in a process of its own.

Exit statuses (scale/status.py): 0 nothing was found, 1 something was, 3 nothing could be said, 4 a file that is no job, 130
interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

# before anything imports them: a worker takes one core
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from scale.nightly.child import end_with_campaign
from scale.nightly.records import Unit, UnitSettings
from scale.nightly.unit.ending import ENDING
from scale.nightly.unit.process import rare_collections
from scale.nightly.unit.run import run_unit
from scale.records import Record, read_record
from scale.status import Status, UsageError

GRACE_SECONDS = 8.0
"""After which a unit that was asked to end and still waits for an engine ends all the same; its result is on disk."""


class _Job(Record):
    unit: Unit
    settings: UnitSettings


def main(arguments: list[str]) -> int:
    """Run the unit of a job; returns the exit status."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m scale.nightly.unit JOB.json FOLDER\n")
        return int(Status.USAGE)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    end_with_campaign()
    try:
        job = read_record(Path(arguments[0]), _Job)
        with rare_collections():
            result = run_unit(job.unit, job.settings, Path(arguments[1]))
    except UsageError as error:
        sys.stderr.write(f"python -m scale.nightly.unit: {error}\n")
        return int(Status.USAGE)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return int(Status.INTERRUPTED)
    if result.reason:
        sys.stderr.write(f"{result.status}: {result.reason}\n")
    return int({"pass": Status.PASS, "fail": Status.FAIL}.get(result.status, Status.INSUFFICIENT))


def _end(number: int, frame: FrameType | None) -> Any:  # noqa: ARG001 - a signal handler's
    """End in order, or else after a while: an engine that hangs must not hold the night up."""
    for known in (signal.SIGTERM, signal.SIGINT):
        signal.signal(known, signal.SIG_IGN)
    threading.Thread(target=_end_later, daemon=True).start()
    ENDING.set()
    raise KeyboardInterrupt


def _end_later() -> None:
    time.sleep(GRACE_SECONDS)
    os._exit(int(Status.INTERRUPTED))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
