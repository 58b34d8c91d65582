"""Running a step: its output shown and kept, its end enforced, and no process of it left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Literal

import psutil

from scale.ci.modes import PYTEST_STEPS, Step, StepName

Outcome = Literal["pass", "fail", "timeout", "insufficient", "usage", "error", "interrupted", "not run"]
_OF_PYTEST: dict[int, Outcome] = {0: "pass", 1: "fail", 2: "insufficient", 4: "usage", 5: "insufficient"}
_OF_SCALE: dict[int, Outcome] = {0: "pass", 1: "fail", 2: "timeout", 3: "insufficient", 4: "usage", 130: "interrupted"}
GRACE = (10.0, 5.0)
"""Seconds after SIGINT, when a step saves what it has, and after SIGTERM, before it is killed."""


@dataclass(frozen=True)
class StepResult:
    """What became of a step. exit_status: of its process, negative for a signal; None if it was not run or had to be ended."""

    name: StepName
    outcome: Outcome
    seconds: float
    exit_status: int | None = None


def run_step(step: Step, until: float) -> StepResult:
    """Run a step until it ends or `until` (of time.monotonic) is reached; then it and all that it started is ended.

    Raises KeyboardInterrupt after the same clean-up.
    """
    started = time.monotonic()
    if until <= started:
        return StepResult(step.name, "not run", 0.0)
    step.log.parent.mkdir(parents=True, exist_ok=True)
    with step.log.open("wb") as log:
        # a session of its own: Ctrl-C at the terminal reaches this process only, which passes it on in order
        process = subprocess.Popen(
            step.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        reader = threading.Thread(target=_pass_on, args=(process.stdout, log), daemon=True)
        reader.start()
        try:
            status = process.wait(timeout=until - started)
        except subprocess.TimeoutExpired:
            end(process)
            return StepResult(step.name, "timeout", time.monotonic() - started)
        except KeyboardInterrupt:
            end(process)
            raise
        finally:
            _signal_group(process.pid, signal.SIGKILL)  # what a step left running
            reader.join(timeout=2)
            if not reader.is_alive():
                process.stdout.close()
    return StepResult(step.name, outcome_of(step.name, status), time.monotonic() - started, status)


def outcome_of(name: StepName, status: int) -> Outcome:
    """What an exit status says; one that its program does not know is an error, such as a crash."""
    known = _OF_PYTEST if name in PYTEST_STEPS else _OF_SCALE
    return known.get(status, "error")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started: asked twice, then killed. A second Ctrl-C kills at once.

    What a step starts may have a session of its own, so that its group does not reach it; the tree is taken down before the root
    is gone and its children are nobody's.
    """
    family = _family(process.pid)
    try:
        for number, seconds in zip((signal.SIGINT, signal.SIGTERM), GRACE, strict=True):
            _signal_group(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=seconds)
                break
            family |= _family(process.pid)
    finally:
        family |= _family(process.pid)
        _signal_group(process.pid, signal.SIGKILL)
        for one in family:
            with suppress(psutil.Error):
                one.kill()
        process.wait()


def _family(pid: int) -> set[psutil.Process]:
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        return {root, *root.children(recursive=True)}
    return set()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _pass_on(source: IO[bytes], log: IO[bytes]) -> None:
    """Everything a step prints, as it comes, to the log and to the terminal."""
    show: Callable[[bytes], object] = sys.stdout.buffer.write if hasattr(sys.stdout, "buffer") else _ignore
    with suppress(ValueError, OSError):  # the log is closed under a process that was killed
        while part := os.read(source.fileno(), 65_536):
            log.write(part)
            log.flush()
            with suppress(OSError, ValueError):  # nobody reads the terminal any more
                show(part)
                sys.stdout.flush()


def _ignore(part: bytes) -> None:
    """Where standard output takes no bytes."""
