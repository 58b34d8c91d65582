"""The local pool: units that end as they should, die, hang, or are stopped."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from scale.nightly import pool as module
from scale.nightly.child import PARENT
from scale.nightly.job import Job
from scale.nightly.ledger import Result
from scale.nightly.pool import LOG, LocalPool
from scale.nightly.records import RESULT, Unit, UnitResult, UnitSettings
from scale.nightly.testing import result, write_result
from scale.records import read_record
from scale.status import Status

_UNIT = """
import os, signal, sys, time
from pathlib import Path
from scale.nightly.child import end_with_campaign
end_with_campaign()
folder = Path(sys.argv[2])
(folder / "pid").write_text(str(os.getpid()))
{body}
"""


_HOLDS = """
import subprocess
own, of_child = (100, 100) if folder.name == "modest" else {held}
code = f"import time; kept = bytearray(b'x') * ({{of_child}} << 20); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
(folder / "child").write_text(str(child.pid))
kept = bytearray(b"x") * (own << 20)
time.sleep(3 if folder.name == "modest" else 600)
child.kill()
"""
"""A unit and a process of it in a session of its own that hold so many MiB each."""


def pool_of(body: str, count: int = 1, memory: int | None = None) -> LocalPool:
    return LocalPool(count, (sys.executable, "-c", _UNIT.format(body=body)), memory=memory)


def job_in(folder: Path, name: str = "0000-sql_vs_polars") -> Job:
    """A unit that has run a hundred worlds so far."""
    begun = result(0, status="running", folder=folder)
    write_result(Result(begun.result, folder / "units" / name))
    unit = Unit(number=0, what="sql_vs_polars", seed=1, engines=("sql", "polars"), seconds=0.5)
    return Job(unit, UnitSettings(), folder / "units" / name)


def until_there(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("status", [Status.PASS, Status.FAIL, Status.INSUFFICIENT])
def test_a_unit_that_ends_says_how(tmp_path: Path, status: Status) -> None:
    pool, job = pool_of(f"sys.exit({int(status)})"), job_in(tmp_path)

    assert pool.submit(job).result() == status

    pool.close()
    assert read_record(job.folder / RESULT, UnitResult).status == "running", "the unit's own result is left alone"
    assert (job.folder / LOG).exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [("os.kill(os.getpid(), signal.SIGSEGV)", "was ended by signal 11"), ("sys.exit(9)", "ended with status 9")],
)
def test_a_unit_that_dies_keeps_what_it_had_done(tmp_path: Path, body: str, said: str) -> None:
    pool, job = pool_of(body), job_in(tmp_path)

    pool.submit(job).result()

    pool.close()
    kept = read_record(job.folder / RESULT, UnitResult)
    assert kept.status == "error" and said in kept.reason and kept.worlds == 100


def test_a_unit_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOM", 1.0)
    pool, job = pool_of("time.sleep(600)"), job_in(tmp_path)

    assert pool.submit(job).result() == Status.TIMEOUT

    pool.close()
    kept = read_record(job.folder / RESULT, UnitResult)
    assert kept.status == "hung" and "its budget was 0 s" in kept.reason
    assert not psutil.pid_exists(int((job.folder / "pid").read_text()))


@pytest.mark.parametrize("held", [(900, 0), (0, 900), (300, 300)], ids=["itself", "what it started", "both together"])
def test_a_unit_that_takes_too_much_memory_is_ended_and_its_neighbour_goes_on(
    tmp_path: Path, held: tuple[int, int]
) -> None:
    pool = pool_of(_HOLDS.format(held=held), count=2, memory=2**30)
    job, modest = (job_in(tmp_path, name) for name in ("greedy", "modest"))
    greedy, neighbour = pool.submit(job), pool.submit(modest)

    assert greedy.result(timeout=60) == Status.INSUFFICIENT and neighbour.result(timeout=60) == Status.PASS

    pool.close()
    kept = read_record(job.folder / RESULT, UnitResult)
    assert kept.status == "error" and kept.worlds == 100
    assert "GiB of memory; each unit may have 0.4 GiB. Run fewer at a time" in kept.reason
    assert not any(psutil.pid_exists(int((job.folder / name).read_text())) for name in ("pid", "child"))


def test_closing_ends_what_runs_and_leaves_its_result(tmp_path: Path) -> None:
    pool, job = pool_of("time.sleep(600)"), job_in(tmp_path)
    running = pool.submit(job)
    until_there(job.folder / "pid")

    pool.close()

    assert running.done() and not psutil.pid_exists(int((job.folder / "pid").read_text()))
    assert read_record(job.folder / RESULT, UnitResult).status == "running"


def test_units_do_not_outlive_the_campaign(tmp_path: Path) -> None:
    child = f"import os; os.environ['{PARENT}'] = str(os.getppid())\n" + _UNIT.format(body="time.sleep(600)")
    campaign = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}, 'job', {str(tmp_path)!r}]).wait()"
    )
    with psutil.Popen([sys.executable, "-c", campaign], env={**os.environ}) as parent:
        until_there(tmp_path / "pid")
        parent.kill()
    unit = int((tmp_path / "pid").read_text())

    deadline = time.monotonic() + 10
    while psutil.pid_exists(unit) and psutil.Process(unit).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the unit goes on without its campaign"
        time.sleep(0.05)
