"""The measured process as its parent sees it: started, spoken to, watched, and ended whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NoReturn

import psutil

from scale.measuring.tree import Tree

_CHILD = Path(__file__).with_name("child.py")
_POLL_SECONDS = 0.1
_TAIL_LINES = 12
_FOLDER = "measuring-"
_POOLS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class ChildError(Exception):
    """The child gave no result; `status` says why as a Run does."""

    def __init__(self, status: Literal["failed", "timeout", "memory"], message: str) -> None:
        super().__init__(message)
        self.status: Literal["failed", "timeout", "memory"] = status


class Child:
    """A running child, until `end`, which has to be called whatever happens.

    Its output goes to a log in its folder, which also is where its temporary files lie.
    """

    def __init__(self, request: Mapping[str, Any], folder: Path, root: Path, threads: int, timeout: float) -> None:
        self.started = time.perf_counter()
        self.tree: Tree | None = None
        self._folder, self._timeout, self._phase = folder, timeout, "while its input was made"
        self._result = folder / "result.json"
        self._buffer, self._ended = b"", False
        here, there = socket.socketpair()
        self._socket = here
        asked = folder / "request.json"
        asked.write_text(json.dumps({**request, "socket": there.fileno(), "folder": str(folder), "root": str(root)}))
        with there, (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_CHILD), str(asked), str(self._result)],
                env=_environment(root, threads, folder),
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own: Ctrl-C reaches the parent alone, which then ends the group
            )
        with contextlib.suppress(OSError, Exception):
            self.tree = Tree(self._process.pid)

    def hear(self, word: str, limit: int | None) -> dict[str, Any]:
        """Wait for the child to say `word`; returns what it said with it. limit: bytes of the tree at which it is killed.

        Raises:
            ChildError: it ended, took too long or took too much memory.
        """
        while b"\n" not in self._buffer:
            if select.select([self._socket], [], [], _POLL_SECONDS)[0]:
                with contextlib.suppress(ConnectionError):
                    received = self._socket.recv(65536)
                    self._buffer += received
                    if received:
                        continue
                self._fail_without(word)
            if self._process.poll() is not None:
                self._fail_without(word)
            self._check_time()
            self._check_memory(limit)
        line, self._buffer = self._buffer.split(b"\n", 1)
        said, _, data = line.decode().partition(" ")
        if said != word:
            raise ChildError("failed", f"the child said {said!r} where {word!r} was expected")
        return dict(json.loads(data)) if data else {}

    def answer(self, phase: str) -> None:
        """Let the child go on. phase: what it does then, for messages."""
        self._phase = phase
        with contextlib.suppress(OSError):
            self._socket.sendall(b"\n")

    def result(self, limit: int | None) -> dict[str, Any]:
        """Wait for the child's end; returns its result. Raises ChildError as `hear`, and for a failure that it reports."""
        while self._process.poll() is None:
            select.select([self._socket], [], [], _POLL_SECONDS)
            self._check_time()
            self._check_memory(limit)
            if self._result.exists():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(5)
                break
        return self._read_result()

    def end(self) -> None:
        """Kill whatever is left of the child, its descendants and its process group, and wait for it."""
        if self._ended:
            return
        self._ended = True
        if self.tree is not None:
            self.tree.kill()
            self.tree.close()
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def _fail_without(self, word: str) -> NoReturn:
        """It closed the socket before it said the word: for its result, or because it died."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._read_result()
        raise ChildError("failed", f"the child ended {self._phase}, before {word!r}{self._tail()}")

    def _read_result(self) -> dict[str, Any]:
        if not self._result.exists():
            raise self._death()
        result: dict[str, Any] = json.loads(self._result.read_text(encoding="utf-8"))
        if "error" in result:
            raise ChildError("memory" if result["memory"] else "failed", result["error"] + self._tail())
        return result

    def _death(self) -> ChildError:
        code, tail = self._process.poll(), self._tail()
        if code is None:
            return ChildError("failed", f"the process closed its connection {self._phase} and went on{tail}")
        if code == -signal.SIGKILL:
            return ChildError("memory", f"the process was killed {self._phase}, most likely out of memory{tail}")
        if code == -signal.SIGABRT and "memory allocation of" in tail:  # what Rust libraries such as Polars say
            return ChildError("memory", f"the process ran out of memory {self._phase}{tail}")
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        return ChildError("failed", f"the process ended {how} {self._phase}{tail}")

    def _check_time(self) -> None:
        if time.perf_counter() - self.started > self._timeout:
            raise ChildError("timeout", f"no result in {self._timeout:g} s; it was killed {self._phase}{self._tail()}")

    def _check_memory(self, limit: int | None) -> None:
        if limit is None or self.tree is None:
            return
        held = sum(member.now for member in self.tree.resident())
        if held > limit:
            raise ChildError("memory", over_limit(held, limit, self._phase))

    def _tail(self) -> str:
        text = (self._folder / "log").read_bytes()[-8000:].decode(errors="replace").strip()
        lines = text.splitlines()[-_TAIL_LINES:]
        return "\nit had printed:" + "".join(f"\n  | {line}" for line in lines) if lines else ""


def over_limit(held: int, limit: int, phase: str) -> str:
    """What is said of a child that took too much memory."""
    return f"it held {held / 2**30:.2f} GiB, over the limit of {limit / 2**30:.2f} GiB, and was killed {phase}"


@contextmanager
def private_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder under `folder`, removed at the end with all that is in it, also on SIGTERM.

    What a killed process could not remove, databases of gigabytes among it, goes when the next one comes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_FOLDER}*-*"):
        owner = left.name.removeprefix(_FOLDER).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    with _terminable():
        made = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-", dir=folder)).resolve()
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


class _TerminatedError(BaseException):
    """SIGTERM came."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Clean up before a SIGTERM ends this process. A handler that someone else has set is left to do as it does."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise _TerminatedError

    signal.signal(signal.SIGTERM, terminated)
    try:
        yield
    except _TerminatedError:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _environment(root: Path, threads: int, folder: Path) -> dict[str, str]:
    """This process's environment with the pools of libraries bounded, which read it when they are first imported."""
    search_path = os.pathsep.join([str(root), *(entry or str(Path.cwd()) for entry in sys.path)])
    return {
        **os.environ,
        **dict.fromkeys(_POOLS, str(threads)),
        "PYTHONPATH": search_path,
        "TMPDIR": str(folder),
        "POLARS_TEMP_DIR": str(folder),
    }
