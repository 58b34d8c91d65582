"""Drills that are killed, interrupted, out of time, out of disk, or not alone."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from differential.session import ROOT
from scale.__main__ import main
from scale.records import read_record
from scale.rollback.record import Rollback
from scale.rollback.testing import COPY, System
from scale.status import Status

SLOW = f'if test -n "$ROLLBACK_SLICE"; then {COPY}; else echo $$ > "{{root}}/pid"; sleep 60; fi'


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System.make(tmp_path / "system")


def started(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scale", *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@contextmanager
def rebuilding(system: System) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A drill whose rebuild is under way, and the process that rebuilds."""
    drill = started(system.arguments("execute", command=SLOW.format(root=system.root)))
    noted = system.root / "pid"
    try:
        until = time.monotonic() + 60
        while not (noted.exists() and noted.read_text().strip()):
            assert time.monotonic() < until and drill.poll() is None, drill.communicate()[0]
            time.sleep(0.02)
        yield drill, psutil.Process(int(noted.read_text()))
    finally:
        drill.kill()
        drill.communicate()
        noted.unlink(missing_ok=True)


def gone(process: psutil.Process) -> bool:
    until = time.monotonic() + 5
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_puts_everything_back(system: System, number: signal.Signals) -> None:
    user, old = system.user_state(), system.database_hash()
    with rebuilding(system) as (drill, rebuild):
        drill.send_signal(number)
        told, _ = drill.communicate(timeout=60)

        assert drill.returncode == Status.INTERRUPTED
        assert "everything is as it was before" in told and "interrupted at step rebuild" in told
        assert gone(rebuild)
    assert (system.database_hash(), system.user_state(), system.worktrees()) == (old, user, 0)
    assert read_record(system.backup / "rollback.json", Rollback).result == "interrupted"


def test_a_killed_drill_takes_its_rebuild_with_it_and_is_named_at_the_next_start(
    system: System, capfd: pytest.CaptureFixture[str]
) -> None:
    user, old = system.user_state(), system.database_hash()
    with rebuilding(system) as (drill, rebuild):
        assert main(system.arguments("execute", "--backup", str(system.root / "other"))) == Status.INSUFFICIENT
        assert f"another drill is at work in this repository (process {drill.pid}" in capfd.readouterr().err
        drill.kill()
        drill.wait()
        assert gone(rebuild)
    assert system.database_hash() == old
    assert main(system.arguments("validate")) == Status.PASS
    told = capfd.readouterr().err
    assert "was interrupted at step rebuild: database and configuration are as before it" in told
    assert main(system.arguments("execute", "--backup", str(system.root / "other"))) == Status.PASS
    assert read_record(system.backup / "rollback.json", Rollback).result == "interrupted"
    assert main(system.arguments("restore", "--backup", str(system.root / "other"))) == Status.PASS
    assert (system.database_hash(), system.user_state(), system.worktrees()) == (old, user, 0)


def test_out_of_time_puts_everything_back(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    user, old = system.user_state(), system.database_hash()
    command = SLOW.format(root=system.root)

    assert main(system.arguments("execute", "--timeout", "0.1", command=command)) == Status.TIMEOUT
    assert "no time was left at step rebuild" in capfd.readouterr().out
    (system.root / "pid").unlink()
    assert (system.database_hash(), system.user_state()) == (old, user)


def test_killed_at_any_operation_it_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    """A few of all operations, and faults that the kills have to find; testing_kills by hand kills before every operation."""
    options = ("--points", "10", "--restore-points", "3", "--random", "2", "--self-test")
    done = subprocess.run(
        [sys.executable, "-m", "scale.rollback.testing_kills", str(tmp_path), *options],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_locked_database_is_told(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(system.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline()
        assert main(system.arguments("execute")) == Status.FAIL
        assert "held by another process; close it there and run again" in capfd.readouterr().out
        assert not system.backup.exists()
    finally:
        holder.communicate()
    assert main(system.arguments("execute")) == Status.PASS


def test_two_repositories_meet_at_the_database(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    with system.database.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(system.arguments("execute")) == Status.INSUFFICIENT
    assert "a drill of another repository is at work on it" in capfd.readouterr().err and not system.backup.exists()


def test_a_disk_that_takes_no_more_is_told_and_nothing_is_lost(system: System) -> None:
    """The kernel refuses to let a file grow, at a size that everything but the database stays below."""
    user, old = system.user_state(), system.database_hash()
    code = (
        "import resource, sys; from scale.rollback.testing_kills import scale, without_validation; "
        "without_validation(); resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
        "sys.exit(scale(sys.argv[1:]))"
    )
    drill = subprocess.run(
        [sys.executable, "-c", code, *system.arguments("execute")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert drill.returncode == Status.FAIL, drill
    assert "step backup: " in drill.stdout and "File too large" in drill.stdout
    assert (system.database_hash(), system.user_state(), system.worktrees()) == (old, user, 0)


def test_a_full_disk(
    system: System, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system of 1 MB for the backup, where mounting one is allowed; validation, which would see it, is told of more."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]
    if (
        os.geteuid()
        or shutil.which("mount") is None
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("a file system cannot be mounted here")
    try:
        user, old = system.user_state(), system.database_hash()
        arguments = system.arguments("execute", "--backup", str(small / "backup"))
        assert main(arguments) == Status.FAIL
        assert "make room" in capfd.readouterr().out and not (small / "backup").exists()

        monkeypatch.setattr("scale.rollback.validate.free_bytes", lambda _folder: 1 << 40)
        assert main(arguments) == Status.FAIL
        assert "No space left on device" in capfd.readouterr().out
        assert (system.database_hash(), system.user_state(), system.worktrees()) == (old, user, 0)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
    assert main(system.arguments("execute")) == Status.PASS
