"""Worker processes: results, environments, and every way a child can fail."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from differential import workers
from differential.pipe import pickled, unpickled
from differential.variant import VariantError
from differential.workers import WorkerError

HERE = "differential.test_workers"


def imported(name: str) -> str:
    return importlib.import_module(name).__name__


def echo(value: object) -> object:
    return value


def environment(name: str) -> str | None:
    return os.environ.get(name)


def pid() -> int:
    return os.getpid()


def refuse() -> None:
    raise VariantError("no such level")


def die(how: int) -> None:
    print("last words", flush=True)
    os.kill(os.getpid(), how)


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def leave(status: int) -> None:
    os._exit(status)


def tell_and_sleep(told: str, seconds: float) -> None:
    """Write this process's id where it is waited for, at once and whole, and hang."""
    Path(f"{told}.part").write_text(str(os.getpid()))
    Path(f"{told}.part").rename(told)
    time.sleep(seconds)


def test_a_result_comes_back_even_when_it_is_large() -> None:
    assert workers.call(f"{HERE}:echo", b"x" * 5_000_000) == b"x" * 5_000_000


def test_a_buffer_that_many_slices_share_is_sent_once() -> None:
    """Else the edited tables of a thousand worlds, slices of one run, take a thousand times its memory."""
    whole = pa.table({"id": [f"E{number}" for number in range(20_000)], "pay": range(20_000)})
    sliced = pa.concat_tables([whole.slice(20 * number, 20) for number in range(1_000)])

    parts = pickled((sliced, sliced["pay"]))
    again, pay = unpickled([bytearray(part) for part in parts])

    assert again.equals(whole) and pay.equals(sliced["pay"])
    assert sum(memoryview(part).nbytes for part in parts) < 3 * whole.nbytes
    assert unpickled([bytearray(part) for part in pickled({"none": pa.table({"none": pa.array([], pa.int64())})})])


def test_a_child_is_kept_per_environment_and_fresh_ones_are_not() -> None:
    one = workers.call(f"{HERE}:pid", env={"PARITY_TEST": "1"})

    assert workers.call(f"{HERE}:pid", env={"PARITY_TEST": "1"}) == one
    assert workers.call(f"{HERE}:environment", "PARITY_TEST", env={"PARITY_TEST": "2"}) == "2"
    assert workers.call(f"{HERE}:pid", env={"PARITY_TEST": "1"}, fresh=True) not in (one, os.getpid())


def test_a_kept_child_sees_a_changed_feature_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workers.call(f"{HERE}:environment", "FEATURE_FLAG_LEGACY_EVENTS") is None

    monkeypatch.setenv("FEATURE_FLAG_LEGACY_EVENTS", "true")

    assert workers.call(f"{HERE}:environment", "FEATURE_FLAG_LEGACY_EVENTS") == "true"


def test_an_exception_arrives_as_it_was_raised() -> None:
    with pytest.raises(VariantError, match="no such level"):
        workers.call(f"{HERE}:refuse")


@pytest.mark.parametrize(
    ("target", "argument", "kind", "message"),
    [
        ("die", signal.SIGKILL, "memory", "out of memory"),
        ("die", signal.SIGSEGV, "died", r"SIGSEGV(.|\n)*last words"),
        ("leave", 3, "died", "exit status 3"),
    ],
)
def test_a_dead_child_is_reported_and_replaced(target: str, argument: int, kind: str, message: str) -> None:
    with pytest.raises(WorkerError, match=message) as caught:
        workers.call(f"{HERE}:{target}", int(argument))

    assert caught.value.kind == kind
    assert workers.call(f"{HERE}:echo", "alive") == "alive"


def test_messages_name_what_was_asked_for() -> None:
    with pytest.raises(WorkerError, match=r"^mine:engine: its process ended with exit status 3"):
        workers.call(f"{HERE}:leave", 3, called="mine:engine")


def test_a_hanging_child_is_killed_in_time() -> None:
    started = time.monotonic()

    with pytest.raises(WorkerError, match=r"no result in 0\.5 s") as caught:
        workers.call(f"{HERE}:sleep", 60, timeout=0.5)

    assert caught.value.kind == "hung"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_ends_with_its_parent_though_it_hangs(how: signal.Signals, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    program = f"from differential import workers; workers.call('{HERE}:tell_and_sleep', {str(told)!r}, 60.0)"
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=workers.ROOT)
    try:
        until = time.monotonic() + 30
        while not told.exists() and time.monotonic() < until:
            time.sleep(0.1)
        child = psutil.Process(int(told.read_text()))
    finally:
        parent.send_signal(how)
        parent.wait(10)

    _, alive = psutil.wait_procs([child], timeout=20)
    for hanging in alive:
        hanging.kill()
    assert not alive


def test_a_new_process_knows_what_came_onto_the_path_since_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.call(f"{HERE}:pid", fresh=True)  # the next one is started right away
    (tmp_path / "come_later.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert workers.call(f"{HERE}:imported", "come_later", fresh=True) == "come_later"
