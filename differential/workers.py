"""Worker processes: run an importable function in a child process with an environment of its own.

Some choices are fixed when a library is first imported (Polars' thread pool and morsel size), a resumed run must go on in a
new process, and an attached engine may crash hard. All three go through `call`. Children that died, hung or ran out of memory
are reported as such (`WorkerError.kind`), never waited for; and children end with their parent, however that ended.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from select import poll, select
from typing import Any, Literal

import psutil

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_TIMEOUT = 600.0
_POLL_SECONDS = 0.25
_GRACE_SECONDS = 5.0
"""That a child has to end by itself after its pipe was closed."""
_MEMORY_SHARE = 0.8
_HEADER = struct.Struct("!Q")


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
    environment = dict(env or {})
    key = (os.getpid(), frozenset({**_inherited(), **environment}.items()))
    if fresh:
        worker = _take_spare(key, environment, target.partition(":")[0])
        try:
            return worker.call(target, args, limit, called or target)
        finally:
            worker.close()
    with _lock:
        worker = _kept.get(key) or _Worker(environment)
        _kept[key] = worker
    try:
        return worker.call(target, args, limit, called or target)
    finally:
        if not worker.alive():
            _kept.pop(key, None)
            worker.close()


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
        spares = _spares.setdefault((*key, module), [])
        worker = spares.pop() if spares else _Worker(env, preload=module)
        spares.append(_Worker(env, preload=module))
    return worker


def _inherited() -> dict[str, str]:
    # The suite sets or clears these per run, so a kept child must not carry an older value.
    return {name: value for name, value in os.environ.items() if name.startswith(("FEATURE_FLAG_", "POLARS_"))}


class _Worker:
    """One child and the two pipes to it. Its standard output and error go to a file, so prints do no harm."""

    def __init__(self, env: Mapping[str, str], preload: str = "") -> None:
        child_in, self._to_child = os.pipe()
        self._from_child, child_out = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._lock = threading.Lock()
        search_path = os.pathsep.join([str(ROOT), *(entry or str(Path.cwd()) for entry in sys.path)])
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(child_in), str(child_out), preload],
            env={**os.environ, **env, "PYTHONPATH": search_path},
            pass_fds=(child_in, child_out),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        os.close(child_in)
        os.close(child_out)

    def alive(self) -> bool:
        return self._process.poll() is None

    def call(self, target: str, args: tuple[Any, ...], timeout: float, name: str) -> Any:
        with self._lock:
            deadline = time.monotonic() + timeout
            try:
                send(self._to_child, (target, args, name))
            except BrokenPipeError:
                raise self._death(name) from None
            self._wait(name, deadline, timeout)
            try:
                outcome, value = receive(self._from_child)
            except EOFError:
                raise self._death(name) from None
        if outcome == "returned":
            return value
        if isinstance(value, BaseException):
            raise value
        raise WorkerError("raised", f"{name} failed in a worker process:\n{value}")

    def _wait(self, name: str, deadline: float, timeout: float) -> None:
        allowed = _MEMORY_SHARE * psutil.virtual_memory().total
        while not select([self._from_child], [], [], _POLL_SECONDS)[0]:
            if time.monotonic() > deadline:
                self._process.kill()
                raise WorkerError(
                    "hung", f"{name} gave no result in {timeout:g} s; its process was killed{self._tail()}"
                )
            if self.alive() and (used := self._memory()) > allowed:
                self._process.kill()
                raise WorkerError("memory", f"{name} used {used / 2**30:.1f} GiB; its process was killed{self._tail()}")

    def _memory(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

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
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


_CHILD = "import sys; from differential.workers import serve; serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])"


def serve(source: int, sink: int, preload: str = "") -> None:
    """The child's loop: answer calls until the parent closes the pipe, or is no more, whatever is being done then."""
    import importlib
    import traceback

    threading.Thread(target=_end_with_parent, args=(source,), daemon=True).start()
    if preload:
        with suppress(Exception):  # a module that cannot be imported is reported by the call that names it
            importlib.import_module(preload)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; it closes the pipe
    while True:
        try:
            target, args, name = receive(source)
        except EOFError:
            return
        try:
            module, _, function = target.partition(":")
            result = ("returned", getattr(importlib.import_module(module), function)(*args))
        except MemoryError:
            result = ("raised", WorkerError("memory", f"{name} ran out of memory"))
        except Exception as error:  # noqa: BLE001 - it is handed to the parent
            result = ("raised", _portable(error, traceback.format_exc()))
        send(sink, result)


def _end_with_parent(source: int) -> None:
    """Wait until nobody holds the other end of the pipe; a child that is idle then ends by itself, one that hangs does not.

    Not by PR_SET_PDEATHSIG, which is sent when the parent's thread ends that started the child: kept children outlive those.
    """
    watch = poll()
    watch.register(source, 0)  # a hang-up is told in any case
    watch.poll()
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


def _portable(error: Exception, text: str) -> Exception | str:
    """The exception itself where it survives pickling, else its traceback."""
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - any failure means it cannot cross
        return text
    if type(copy) is not type(error):
        return text
    error.add_note(f"in a worker process:\n{text}")
    return error


def send(descriptor: int, value: Any) -> None:
    """Write one pickled value; large buffers, such as those of Arrow tables, follow it as they are, without a copy."""
    buffers: list[pickle.PickleBuffer] = []
    payload = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(payload), *(buffer.raw() for buffer in buffers)]
    sizes = [part.nbytes for part in parts]
    _write(descriptor, memoryview(_HEADER.pack(len(parts)) + b"".join(_HEADER.pack(size) for size in sizes)))
    for part in parts:
        _write(descriptor, part)


def receive(descriptor: int) -> Any:
    """Read one value that `send` wrote; raises EOFError when the other side is gone."""
    (count,) = _HEADER.unpack(_read_exactly(descriptor, _HEADER.size))
    sizes = [_HEADER.unpack(_read_exactly(descriptor, _HEADER.size))[0] for _ in range(count)]
    payload, *buffers = [_read_exactly(descriptor, size) for size in sizes]
    return pickle.loads(payload, buffers=buffers)


def _write(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]


def _read_exactly(descriptor: int, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = os.readv(descriptor, [view])
        if not count:
            raise EOFError
        view = view[count:]
    return data


_lock = threading.Lock()
_Key = tuple[int, frozenset[tuple[str, str]]]
_kept: dict[_Key, _Worker] = {}
_spares: dict[tuple[int, frozenset[tuple[str, str]], str], list[_Worker]] = {}
atexit.register(close_all)
