"""Real clusters on the loopback interface, for tests."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
IGNORED = (
    "ignore:Port .* is already in use:UserWarning",  # the dashboard's port, when another cluster of the machine has it
    "ignore:unclosed:ResourceWarning",  # sockets of workers that were killed, found by the garbage collector
)
"""Warnings of Dask's own that say nothing of us, for the tests that lose workers."""

_MADE_UP_HOST = """
import os, threading, time
from dataclasses import replace
from pathlib import Path
from scale.cluster import fitness, task

HOST, NOTES = os.environ["MADE_UP_HOST"], Path(os.environ["MADE_UP_NOTES"])
original = getattr(fitness.facts, "original", fitness.facts)  # Dask runs this file twice

def facts(engines=()):
    true = original(engines)
    machine = true.machine.model_copy(update={"fingerprint": f"machine-of-{HOST}"})
    changed = threading.current_thread() is not threading.main_thread() and (NOTES / f"changed-{HOST}").exists()
    return replace(true, host=HOST, name=HOST, machine=machine, python="2.7" if changed else true.python)

facts.original = original
fitness.facts = task.facts = facts

def note(word, what):
    with (NOTES / "log").open("a") as log:
        log.write(f"{word} {HOST} {what} {os.getpid()} {time.time()}\\n")
"""
"""Makes a worker one of a made-up host. With the file changed-HOST it is another Python's once a task begins."""


@contextmanager
def local_cluster(folder: Path, *, processes: bool = True) -> Iterator[Any]:
    """Two workers of one thread each, in processes that are started again when they are lost; or one in this process."""
    import dask
    from distributed import LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # lost workers are what the tests are about
    quick = {"distributed.comm.timeouts.connect": "5s"}
    with dask.config.set({**quick, "temporary-directory": str(folder)}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Port .* is already in use", UserWarning)
        with LocalCluster(
            n_workers=2 if processes else 1,
            threads_per_worker=1,
            processes=processes,
            dashboard_address=None,
            host="127.0.0.1",
            protocol="tcp://",
        ) as cluster:
            yield cluster


@contextmanager
def dask_process(kind: str, *arguments: str, folder: Path, project: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """`dask scheduler` or `dask worker`, as a user starts it. project: with this project on its path."""
    paths = {"PYTHONPATH": str(ROOT)} if project else {}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | paths
    with (folder / f"{kind}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments, "--no-dashboard"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until(true: Any, seconds: float = 120.0) -> None:
    """Wait until the function says so; as long as a machine that is busy with other tests may need."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


class MadeUpHosts:
    """A scheduler, and workers by the name of their host."""

    def __init__(self, folder: Path, address: str, workers: dict[str, list[subprocess.Popen[bytes]]]) -> None:
        self.notes, self.address, self.workers = folder, address, workers

    def log(self) -> list[list[str]]:
        """What was noted: word, host, what, process, time."""
        path = self.notes / "log"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def made_up_hosts(folder: Path, measuring: str, *names: str) -> Iterator[MadeUpHosts]:
    """A worker on a host of each of these names. measuring: Python that says what its commands do, with HOST, NOTES, note."""
    port, preload = free_port(), folder / "preload.py"
    preload.write_text(_MADE_UP_HOST + measuring)
    address, started = f"tcp://127.0.0.1:{port}", dict[str, list[subprocess.Popen[bytes]]]()
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__SCHEDULER__LOCKS__LEASE_TIMEOUT", "2s")  # of a worker that is lost; else 30 s
        stack.enter_context(dask_process("scheduler", "--host", "127.0.0.1", "--port", str(port), folder=folder))
        patch.setenv("MADE_UP_NOTES", str(folder))
        for name, own in zip(
            names, sorted(free_port() for _ in names), strict=True
        ):  # the first host is given work first
            patch.setenv("MADE_UP_HOST", name)
            options = (
                "--worker-port",
                str(own),
                "--no-nanny",
                "--nthreads",
                "2",
                "--host",
                "127.0.0.1",
                "--preload",
                str(preload),
            )
            worker = stack.enter_context(dask_process("worker", address, *options, folder=folder))
            started.setdefault(name, []).append(worker)
        yield MadeUpHosts(folder, address, started)


def ready(address: str, workers: int) -> bool:
    """Whether so many workers have come."""
    from distributed import Client

    with Client(address, set_as_default=False, timeout=20) as client:
        return len(client.nthreads()) >= workers
