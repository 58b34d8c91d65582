"""Worker processes: run an importable function in a child process with an environment of its own.

Some choices are fixed when a library is first imported (Polars' thread pool and morsel size), a resumed run must go on in a
new process, and an attached engine may crash hard. All three go through `call`, which pickles. A child under another Python has
other libraries, whose pickles need not be ours: `exchange` hands plain bytes to a function there (differential/hosts). Children
that died, hung or ran out of memory are reported as such (`WorkerError.kind`), never waited for; and children end with their
parent, however that ended.

Only the standard library is imported here at the top: another Python has what its engine needs, and maybe nothing else.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any, Literal

from differential.pipe import Part, pickled, receive_parts, send_parts, unpickled
from differential.worker_child import GRACE_SECONDS

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_TIMEOUT = 600.0
_POLL_SECONDS = 0.25
_MEMORY_SHARE = 0.8
_Key = tuple[int, str, frozenset[tuple[str, str]]]
"""Of a kept child: its parent, its Python, and its environment as far as it is its own."""


class WorkerError(RuntimeError):
    """A child process that gave no result.

    kind: `died` (ended by itself or by a signal), `hung` (no result in time, now killed), `memory` (killed, or refused
    memory), `raised` (an exception that cannot cross the process border; its traceback is in the message).
    """

    def __init__(self, kind: Literal["died", "hung", "memory", "raised"], message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[Any, ...]:
        return (WorkerError, (self.kind, str(self)))


def call(
    target: str,
    *args: Any,
    env: Mapping[str, str] | None = None,
    fresh: bool = False,
    timeout: float | None = None,
    called: str | None = None,
) -> Any:
    """Run `target` ("package.module:function") with `args` in a child process and return its result.

    The child has this process's environment and Python path plus `env`, and is kept and reused for calls with the same
    `env`; `fresh=True` starts a new one and ends it afterwards. Arguments and result are pickled between the two. `called` is
    what messages say of the target, if that tells people more than its name.

    Raises:
        WorkerError: the child died, hung longer than `timeout` seconds (default 600) or ran out of memory.
        Exception: whatever the function raised, as raised.
    """
    limit = DEFAULT_TIMEOUT if timeout is None else timeout
    name = called or target
    environment = dict(env or {})
    key = _key(sys.executable, environment)
    request = pickled((target, args, name))
    if fresh:
        worker = _take_spare(key, environment, target.partition(":")[0])
        try:
            return _result(worker.exchange(request, limit, name), name)
        finally:
            worker.close()
    return _result(_by_kept(key, lambda: _Worker(environment), request, limit, name), name)


def exchange(
    python: str,
    answerer: str,
    request: Sequence[Part],
    *,
    timeout: float | None = None,
    called: str,
    path: Sequence[str],
) -> list[bytearray]:
    """Hand `request` to `answerer` ("package.module:function" of this project) in a child process under another Python, kept
    and reused, and return what it answers; both are lists of bytes.

    path: folders that modules may be imported from there; this project's packages are found in any case, and nothing else that
    lies beside them: the folder of an installed project is full of this Python's libraries.

    Raises:
        WorkerError: as `call`.
    """
    limit = DEFAULT_TIMEOUT if timeout is None else timeout
    key = _key(python, {"PYTHONPATH": os.pathsep.join(path)})
    return _by_kept(key, lambda: _Worker({}, answerer=answerer, python=python, path=path), request, limit, called)


def _by_kept(
    key: _Key, make: Callable[[], _Worker], request: Sequence[Part], limit: float, name: str
) -> list[bytearray]:
    with _lock:
        worker = _kept.get(key) or make()
        _kept[key] = worker
    try:
        return worker.exchange(request, limit, name)
    finally:
        if not worker.alive():
            _kept.pop(key, None)
            worker.close()


def _result(answer: Sequence[bytearray], name: str) -> Any:
    """What a pickled answer holds; raises what was raised there."""
    outcome, value = unpickled(answer)
    if outcome == "returned":
        return value
    if isinstance(value, BaseException):
        raise value
    raise WorkerError("raised", f"{name} failed in a worker process:\n{value}")


def _key(python: str, env: Mapping[str, str]) -> _Key:
    return os.getpid(), python, frozenset({**_inherited(), **env}.items())


def close_all() -> None:
    """End every kept child; called at exit."""
    with _lock:
        for worker in [*_kept.values(), *(spare for spares in _spares.values() for spare in spares)]:
            worker.close()
        _kept.clear()
        _spares.clear()


def _take_spare(key: _Key, env: Mapping[str, str], module: str) -> _Worker:
    """A child that has done nothing yet. The next one is started right away and imports `module` while others work."""
    with _lock:
        spares = _spares.setdefault((key, module), [])
        worker = spares.pop() if spares else _Worker(env, preload=module)
        if worker.search_path != _search_path():  # the Python path has changed since it was started
            worker.close()
            worker = _Worker(env, preload=module)
        spares.append(_Worker(env, preload=module))
    return worker


def _search_path() -> list[str]:
    return [entry or str(Path.cwd()) for entry in sys.path]


def _inherited() -> dict[str, str]:
    # The suite sets or clears these per run, so a kept child must not carry an older value.
    return {name: value for name, value in os.environ.items() if name.startswith(("FEATURE_FLAG_", "POLARS_"))}


class _Worker:
    """One child and the two pipes to it. Its standard output and error go to a file, so prints do no harm."""

    def __init__(
        self,
        env: Mapping[str, str],
        preload: str = "",
        answerer: str = "",
        python: str = sys.executable,
        path: Sequence[str] | None = None,
    ) -> None:
        child_in, self._to_child = os.pipe()
        self._from_child, child_out = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._lock = threading.Lock()
        self._whole_tree = path is not None
        self.search_path = _search_path() if path is None else [entry or str(Path.cwd()) for entry in path]
        variables = {**os.environ, **env, "PYTHONPATH": os.pathsep.join(self.search_path)}
        if python != sys.executable:
            variables.pop("PYTHONHOME", None)  # of this Python
        self._process = subprocess.Popen(
            [python, "-c", _CHILD, str(ROOT), str(child_in), str(child_out), preload, answerer or _PICKLED],
            env=variables,
            pass_fds=(child_in, child_out),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        os.close(child_in)
        os.close(child_out)

    def alive(self) -> bool:
        return self._process.poll() is None

    def exchange(self, request: Sequence[Part], timeout: float, name: str) -> list[bytearray]:
        with self._lock:
            deadline = time.monotonic() + timeout
            try:
                send_parts(self._to_child, request)
            except BrokenPipeError:
                raise self._death(name) from None
            self._wait(name, deadline, timeout)
            try:
                return receive_parts(self._from_child)
            except EOFError:
                raise self._death(name) from None

    def _wait(self, name: str, deadline: float, timeout: float) -> None:
        allowed = memory_allowed()
        while not select([self._from_child], [], [], _POLL_SECONDS)[0]:
            if time.monotonic() > deadline:
                self._kill()
                raise WorkerError(
                    "hung", f"{name} gave no result in {timeout:g} s; its process was killed{self._tail()}"
                )
            if self.alive() and (used := self._memory()) > allowed:
                self._kill()
                raise WorkerError("memory", f"{name} used {used / 2**30:.1f} GiB; its process was killed{self._tail()}")

    def _kill(self) -> None:
        """And wait for its end: until then it would look alive, be kept, and fail the next call."""
        self._process.kill()
        self._process.wait()

    def _memory(self) -> int:
        """Bytes in use; of all its descendants too where an engine under another Python may start its own."""
        return memory_of(self._process.pid, whole_tree=self._whole_tree)

    def _death(self, name: str) -> WorkerError:
        self._process.wait()
        code = self._process.returncode
        if code == -signal.SIGKILL:
            return WorkerError("memory", f"{name}: its process was killed, most likely out of memory{self._tail()}")
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        return WorkerError("died", f"{name}: its process ended {how}{self._tail()}")

    def _tail(self) -> str:
        self._log.seek(0)
        lines = self._log.read()[-4000:].decode(errors="replace").strip().splitlines()[-10:]
        return "".join(f"\n  | {line}" for line in lines)

    def close(self) -> None:
        for descriptor in (self._to_child, self._from_child):
            with suppress(OSError):
                os.close(descriptor)
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


_PICKLED = "differential.worker_child:answer_pickled"
_CHILD = """
import sys
from importlib.machinery import PathFinder

class OurPackages:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("fixtures", "differential", "properties", "scale"):
            return PathFinder.find_spec(name, [sys.argv[1]], target)

sys.meta_path.insert(0, OurPackages)
from differential.worker_child import serve
serve(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5])
"""


def memory_allowed() -> int:
    """Bytes that a child, or a program with all its children, may use: so much of the machine's memory."""
    return int(_MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def memory_of(pid: int, *, whole_tree: bool = False) -> int:
    """Resident bytes of a process, or of it and all its descendants; 0 where it is gone or nobody can tell."""
    try:
        import psutil
    except ImportError:  # under another Python; whoever started that watches it and all below
        return 0
    try:
        first = psutil.Process(pid)
        tree = [first, *first.children(recursive=True)] if whole_tree else [first]
    except psutil.Error:
        return 0
    used = 0
    for process in tree:
        with suppress(psutil.Error):
            used += int(process.memory_info().rss)
    return used


_lock = threading.Lock()
_kept: dict[_Key, _Worker] = {}
_spares: dict[tuple[_Key, str], list[_Worker]] = {}
atexit.register(close_all)
