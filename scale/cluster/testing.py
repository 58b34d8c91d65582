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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
IGNORED = (
    "ignore:Port .* is already in use:UserWarning",  # the dashboard's port, when another cluster of the machine has it
    "ignore:unclosed:ResourceWarning",  # sockets of workers that were killed, found by the garbage collector
)
"""Warnings of Dask's own that say nothing of us, for the tests that lose workers."""


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
