"""Units on a real cluster of processes, some of which are killed on the way. What a unit is, is made up."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import psutil
import pytest

from scale.cluster import connection
from scale.cluster.testing import IGNORED, dask_process, free_port, local_cluster, until
from scale.nightly import cluster as module
from scale.nightly import shipment
from scale.nightly.cluster import Cluster
from scale.nightly.job import Job
from scale.nightly.pool import JOB
from scale.nightly.records import RESULT, Unit, UnitResult, UnitSettings
from scale.records import read_record
from scale.status import Status, UsageError

pytestmark = [pytest.mark.filterwarnings(*IGNORED), pytest.mark.xdist_group("cluster")]

UNIT = """
import json, os, signal, sys, time
from pathlib import Path
from scale.log import now
from scale.nightly.child import end_with_campaign
from scale.nightly.records import RESULT, Unit, UnitResult
from scale.records import write_record

end_with_campaign()
asked, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
unit, notes = Unit.model_validate(asked["unit"]), Path(os.environ["UNIT_NOTES"])
with (notes / unit.name).open("a") as log:
    log.write(f"{os.getpid()} {os.getppid()}\\n")
if unit.what == "deadly":
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
write_record(folder / RESULT, UnitResult(unit=unit, status="running", started=now(), worlds=5))
held = bytearray(b"x") * (700_000_000 if unit.what == "greedy" else 1)
until = time.monotonic() + unit.seconds
while time.monotonic() < until:
    time.sleep(0.02)
(folder / "repros" / "one").mkdir(parents=True)
(folder / "repros" / "one" / "report.md").write_text(unit.name)
if unit.what == "large":
    (folder / "large").write_bytes(os.urandom(200_000))
write_record(folder / RESULT, UnitResult(unit=unit, status="pass", started=now(), worlds=10, host=str(os.getppid())))
"""
"""Notes its process and its worker's beside each other, runs as long as it may, and leaves a result; or kills its worker, or
holds more memory than a small one has."""
COMMAND = ("-c", UNIT)


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("notes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNIT_NOTES", str(folder))
        yield folder


@pytest.fixture(scope="module")
def dask(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with local_cluster(tmp_path_factory.mktemp("dask")) as made:
        yield made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cluster(dask: Any, said: list[str]) -> Iterator[Cluster]:
    until(lambda: len(dask.scheduler.workers) > 0)  # the oldest Dask does not always start a killed one again
    made = Cluster(dask.scheduler_address, said.append, COMMAND)
    yield made
    made.close()


def job(folder: Path, number: int, seconds: float = 0.1, what: str = "sql_vs_polars", **settings: Any) -> Job:
    unit = Unit(number=number, what=what, seed=number, engines=("sql", "polars"), seconds=seconds)
    return Job(unit, UnitSettings(**settings), folder / unit.name)


def tries(notes: Path, name: str) -> list[tuple[int, int]]:
    """Process and worker of each time that the unit was begun."""
    path = notes / name
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(line.split()[0]), int(line.split()[1])) for line in lines]


def a_corpus(folder: Path) -> Path:
    (folder / "inputs").mkdir(parents=True)
    (folder / "inputs" / "index.json").write_text("{}")
    (folder / "examples").mkdir()
    (folder / "examples" / "other").write_text("not for units")
    return folder


def test_units_run_at_once_on_all_workers_and_their_folders_come_back(
    dask: Any, cluster: Cluster, notes: Path, tmp_path: Path, said: list[str]
) -> None:
    until(lambda: len(dask.scheduler.workers) == 2)
    corpus, census = a_corpus(tmp_path / "corpus"), tmp_path / "people.csv"
    census.write_text("people")
    jobs = [job(tmp_path, number, 1.0, corpus=str(corpus), census=str(census)) for number in range(4)]
    jobs[0].folder.mkdir()
    (jobs[0].folder / "old").touch()
    futures = [cluster.submit(one) for one in jobs]

    assert cluster.count == 2
    assert [future.result(timeout=60) for future in futures] == [Status.PASS] * 4
    assert len({tries(notes, one.unit.name)[0][1] for one in jobs}) == 2
    for one in jobs:
        assert read_record(one.folder / RESULT, UnitResult).unit == one.unit
        assert (one.folder / "repros" / "one" / "report.md").read_text() == one.unit.name
        there = json.loads((one.folder / JOB).read_text())["settings"]
        assert Path(there["census"]).read_text() == "people"
        assert [path.name for path in Path(there["corpus"]).rglob("*")] == ["inputs", "index.json"]
    assert not (jobs[0].folder / "old").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["corpus", "people.csv", *(one.folder.name for one in jobs)]
    )
    assert [line.split(" of inputs to ")[1] for line in said if line.startswith("sent")] == ["2 workers"]


def test_a_corpus_that_has_grown_is_sent_anew_and_the_old_one_removed(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = a_corpus(tmp_path / "corpus")
    first, second = (job(tmp_path, number, corpus=str(corpus)) for number in (10, 11))
    cluster.submit(first).result(timeout=60)
    (corpus / "inputs" / "new").touch()
    monkeypatch.setattr(shipment, "REFRESH_SECONDS", 0.0)
    cluster.submit(second).result(timeout=60)
    before, after = (
        Path(json.loads((one.folder / JOB).read_text())["settings"]["corpus"]).parent for one in (first, second)
    )

    assert not before.exists()
    assert (after / "corpus" / "inputs" / "new").exists()
    cluster.close()
    assert not after.exists()


def test_a_worker_that_was_started_again_at_its_address_is_sent_everything_again(
    cluster: Cluster, tmp_path: Path, said: list[str]
) -> None:
    corpus = a_corpus(tmp_path / "corpus")
    first, second = (job(tmp_path, number, corpus=str(corpus)) for number in (12, 13))
    cluster.submit(first).result(timeout=60)
    for place in (
        Path(json.loads((first.folder / JOB).read_text())["settings"]["corpus"]).parents[2].glob("*/workforce-parity-*")
    ):
        shutil.rmtree(place)

    assert cluster.submit(second).result(timeout=60) == Status.PASS
    there = Path(json.loads((second.folder / JOB).read_text())["settings"]["corpus"])
    assert (there / "inputs" / "index.json").exists()
    assert [line for line in said if "was started again, without what units read" in line]


def test_the_unit_of_a_killed_worker_runs_again_and_every_result_is_there_once(
    cluster: Cluster, notes: Path, tmp_path: Path, said: list[str]
) -> None:
    jobs = [job(tmp_path, number, 1.0) for number in range(20, 24)]
    futures = [cluster.submit(one) for one in jobs]
    until(lambda: tries(notes, jobs[0].unit.name) != [])
    unit, worker = tries(notes, jobs[0].unit.name)[0]
    os.kill(worker, signal.SIGKILL)

    assert [future.result(timeout=60) for future in futures] == [Status.PASS] * 4
    again = tries(notes, jobs[0].unit.name)
    assert len(again) == 2
    assert again[1][1] != worker
    assert [len(tries(notes, one.unit.name)) for one in jobs[1:]] == [1, 1, 1]
    assert all(read_record(one.folder / RESULT, UnitResult).unit == one.unit for one in jobs)
    assert not psutil.pid_exists(unit), "the lost worker's unit ends with it"
    assert [line for line in said if "begun again" in line and jobs[0].unit.name in line]


def test_what_comes_back_is_refused_where_it_is_too_large(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = job(tmp_path, 40, what="large")
    monkeypatch.setattr("scale.nightly.cluster.unpack.__defaults__", (100_000,))

    assert cluster.submit(large).result(timeout=60) == Status.INSUFFICIENT
    result = read_record(large.folder / RESULT, UnitResult)
    assert (result.status, [path.name for path in large.folder.iterdir()]) == ("error", [RESULT])
    assert "more than 0.1 MB was refused" in result.reason


def test_closing_ends_what_runs_at_once_and_leaves_nothing(
    cluster: Cluster, dask: Any, notes: Path, tmp_path: Path
) -> None:
    long = job(tmp_path, 50, 600.0, corpus=str(a_corpus(tmp_path / "corpus")))
    future = cluster.submit(long)
    until(lambda: tries(notes, long.unit.name) != [])
    cluster.close()

    assert wait([future], timeout=0).done
    assert not psutil.pid_exists(tries(notes, long.unit.name)[0][0])
    assert not long.folder.exists()
    until(lambda: not dask.scheduler.tasks)
    with pytest.raises(UsageError, match="was closed"):
        cluster.submit(long)


def test_a_worker_that_cannot_load_the_project_gets_no_unit_and_says_why(
    dask: Any, notes: Path, tmp_path: Path, said: list[str]
) -> None:
    fit = len(dask.scheduler.workers)
    with dask_process(
        "worker", dask.scheduler_address, "--nthreads", "1", "--host", "127.0.0.1", folder=tmp_path, project=False
    ):
        until(lambda: len(dask.scheduler.workers) > fit)
        cluster = Cluster(dask.scheduler_address, said.append, COMMAND)
        try:
            jobs = [job(tmp_path, number) for number in range(60, 66)]
            statuses = [cluster.submit(one) for one in jobs]
            assert [future.result(timeout=60) for future in statuses] == [Status.PASS] * 6
            assert cluster.count == len(dask.scheduler.workers) - 1
        finally:
            cluster.close()
    assert [line for line in said if "gets no work: it cannot load this project (No module named 'scale')" in line]


def test_a_unit_that_takes_three_workers_with_it_is_lost_and_the_others_go_on(
    cluster: Cluster, notes: Path, tmp_path: Path
) -> None:
    deadly, other = job(tmp_path, 30, what="deadly"), job(tmp_path, 31)

    assert cluster.submit(deadly).result(timeout=90) == Status.INSUFFICIENT
    result = read_record(deadly.folder / RESULT, UnitResult)
    assert result.status == "lost"
    assert result.reason.startswith("3 workers were lost while they ran it: tcp://")
    assert len(tries(notes, deadly.unit.name)) <= module.LIVES + 1
    assert cluster.submit(other).result(timeout=60) == Status.PASS


def test_a_unit_may_take_its_threads_part_of_the_memory_that_dask_gives_its_worker(
    notes: Path, tmp_path: Path, said: list[str]
) -> None:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    small = ("--no-nanny", "--nthreads", "2", "--host", "127.0.0.1", "--memory-limit", "1600MB")
    with (
        dask_process("scheduler", "--host", "127.0.0.1", "--port", str(port), folder=tmp_path),
        dask_process("worker", address, *small, folder=tmp_path),
    ):
        cluster = Cluster(address, said.append, COMMAND)
        try:
            greedy, other = job(tmp_path, 80, 60.0, what="greedy"), job(tmp_path, 81)
            assert cluster.submit(greedy).result(timeout=60) == Status.INSUFFICIENT
            assert cluster.submit(other).result(timeout=60) == Status.PASS
        finally:
            cluster.close()
    result = read_record(greedy.folder / RESULT, UnitResult)
    assert (result.status, result.worlds) == ("error", 5)
    assert "each unit may have 0.6 GiB" in result.reason


def test_a_scheduler_that_is_killed_ends_the_campaign_with_a_clear_message(
    notes: Path, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 3.0)
    monkeypatch.setattr(module, "LOST_SCHEDULER_SECONDS", 4.0)
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with dask_process("scheduler", "--host", "127.0.0.1", "--port", str(port), folder=tmp_path) as scheduler:
        with pytest.raises(UsageError, match="no scheduler answers there within 3 s"):
            connection.connect(f"tcp://127.0.0.1:{free_port()}")
        with dask_process("worker", address, "--no-nanny", "--nthreads", "1", "--host", "127.0.0.1", folder=tmp_path):
            cluster = Cluster(address, said.append, COMMAND)
            try:
                assert cluster.submit(job(tmp_path, 70)).result(timeout=60) == Status.PASS
                long = job(tmp_path, 71, 60.0)
                future = cluster.submit(long)
                until(lambda: tries(notes, long.unit.name) != [])
                scheduler.kill()
                with pytest.raises(UsageError, match=r"the scheduler is gone .* units that ended are kept"):
                    future.result(timeout=60)
                with pytest.raises(UsageError, match="the scheduler is gone"):
                    cluster.submit(long)
            finally:
                cluster.close()
    assert read_record(tmp_path / "0070-sql_vs_polars" / RESULT, UnitResult).status == "pass"
    assert not long.folder.exists()
