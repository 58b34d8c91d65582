"""Programs of other people: run with a limit of time and of memory over the whole tree of processes, ended with their parent.

An attached program starts others (dbt is started some thirty times a run), so that neither its own memory nor its own end says
anything. The tree is a session of its own, measured as a whole and killed as a whole.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from differential.workers import WorkerError

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 5.0
_TAIL_LINES, _TAIL_BYTES = 12, 8_000
_running: set[int] = set()
_lock = threading.Lock()

# Runs in the child before the program: when the thread that started it ends, however that comes, the program is killed.
_GUARD = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != int(sys.argv[1]):
        os._exit(1)
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: cannot be started: {error.strerror}")
"""


@dataclass(frozen=True)
class Ended:
    """How a program ended. seconds: wall time. peak_bytes: most memory (RSS) of the whole tree at one look. pid: its own."""

    status: int
    seconds: float
    peak_bytes: int
    pid: int


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    seconds: float,
    memory: int,
    called: str,
    line: Callable[[float, str], None] | None = None,
) -> Ended:
    """Run a program in `folder`; what it and its children print goes to `log`.

    environment: all of it. seconds, memory (bytes): limits of the whole tree. called: what messages call it. line: is told each
    line that is printed, with the seconds since the start.

    Raises:
        WorkerError: it ended with another status than 0 (`died`), took too long (`hung`) or too much (`memory`); the end of what
            it printed is in the message, and `log` has all of it.
    """
    started = time.monotonic()
    guarded = [sys.executable, "-c", _GUARD, str(os.getpid()), *command]
    with log.open("wb") as file:
        process = subprocess.Popen(
            guarded,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with _lock:
            _running.add(process.pid)
        reader = threading.Thread(target=_copy, args=(process, file, started, line), daemon=True)
        reader.start()
        try:
            peak = _watch(process, started, seconds, memory, called, log)
        finally:
            _kill(process.pid)
            process.wait()
            reader.join(_GRACE_SECONDS)
            assert process.stdout is not None
            process.stdout.close()
            with _lock:
                _running.discard(process.pid)
    if process.returncode:
        code = process.returncode
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        raise WorkerError("died", f"{called} ended {how}{tail(log)}")
    return Ended(process.returncode, time.monotonic() - started, peak, process.pid)


def end_all() -> None:
    """Kill every program that `run_program` waits for, in whatever thread: an interruption must not wait for minutes."""
    with _lock:
        for pid in _running:
            _kill(pid)


def tail(log: Path) -> str:
    """The last lines of a log, for messages; empty where there are none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
    return "".join(f"\n  | {line[:200]}" for line in lines)


@cache
def without_network() -> tuple[str, ...]:
    """What is put before a command so that it has no network at all: a network namespace of its own; empty where the system does
    not let us make one."""
    prefix = ("unshare", "--map-root-user", "--net")
    try:
        tried = subprocess.run([*prefix, "true"], capture_output=True, timeout=_GRACE_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return ()
    return prefix if tried.returncode == 0 else ()


def _copy(
    process: subprocess.Popen[bytes], file: object, started: float, line: Callable[[float, str], None] | None
) -> None:
    assert process.stdout is not None
    for text in process.stdout:
        file.write(text)  # type: ignore[attr-defined]
        file.flush()  # type: ignore[attr-defined]
        if line is not None:
            line(time.monotonic() - started, text.decode(errors="replace").rstrip("\n"))


def _watch(
    process: subprocess.Popen[bytes], started: float, seconds: float, memory: int, called: str, log: Path
) -> int:
    peak = 0
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_SECONDS)
            return peak
        used = _memory(process.pid)
        peak = max(peak, used)
        if used > memory:
            raise WorkerError(
                "memory",
                f"{called} used {used / 2**30:.1f} GiB with its children, more than {memory / 2**30:.1f} GiB; "
                f"all of them were killed{tail(log)}",
            )
        if time.monotonic() - started > seconds:
            raise WorkerError(
                "hung", f"{called} did not end in {seconds:g} s; it and its children were killed{tail(log)}"
            )


def _memory(pid: int) -> int:
    used = 0
    try:
        tree = [psutil.Process(pid)]
        tree += tree[0].children(recursive=True)
    except psutil.Error:
        return 0
    for process in tree:
        with suppress(psutil.Error):
            used += int(process.memory_info().rss)
    return used


def _kill(leader: int) -> None:
    """The whole session: first those that left the group of their parent, then the group."""
    with suppress(psutil.Error):
        for process in psutil.Process(leader).children(recursive=True):
            with suppress(psutil.Error):
                process.kill()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
