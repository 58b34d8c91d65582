"""Comparisons on real clusters of processes: workers of made-up hosts, and what they measure is made up but for one."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from differential.session import ROOT
from scale.__main__ import main
from scale.cluster import connection
from scale.cluster.command import Order
from scale.cluster.connection import Say
from scale.cluster.fitness import facts
from scale.cluster.task import Answer
from scale.cluster.testing import (
    IGNORED,
    MadeUpHosts,
    dask_process,
    free_port,
    local_cluster,
    made_up_hosts,
    ready,
    until,
)
from scale.cluster.timed import Failure
from scale.compare import hosts
from scale.compare.acceptance import NotMeasuredError, as_asked
from scale.compare.hosts import arguments_of, compare_on_cluster
from scale.compare.request import RESULT, CompareRequest, Side
from scale.measuring import commit_of
from scale.policy import Policy
from scale.records import Cell, Comparison, read_record
from scale.reports.made_up import comparison
from scale.status import UsageError

pytestmark = [pytest.mark.filterwarnings(*IGNORED), pytest.mark.xdist_group("cluster")]

MEASURING = """
import argparse
from scale.cluster import command
from scale.compare import command as compare, live
from scale.compare.options import add_options, compare_request
from scale.sweep.testing import made_run

def run(words, place, summary):
    assert not summary
    parser = argparse.ArgumentParser()
    add_options(parser)
    asked = parser.parse_args(words[1:])
    request = compare_request(asked)
    note("begin", asked.timeout)
    if (NOTES / "other-code").exists():
        (request.base.root / "fixtures" / "planted.py").touch()

    def measure(cell, *, round, warm_up, root, **_):
        if not place.wanted():
            raise KeyboardInterrupt
        side = "base" if (cell.engine, root) != (request.cells[0].engine, request.candidate.root) else "candidate"
        note("run", side)
        place.tell(line="a line of its progress")
        while (NOTES / f"hold-{HOST}").exists() and not warm_up and place.wanted():
            time.sleep(0.02)
        seconds = 1.3 if side == "candidate" else 1.0
        return made_run(cell, round, seconds + 0.001 * round, warm_up=warm_up)

    live.measure = measure
    compare.machine = lambda: place.there.machine
    try:
        done, interrupted = compare.run_comparison(request)
    finally:
        note("end", "")
    return 130 if interrupted else 1

command._run = run
"""
"""Candidates are slower by 30 %. A comparison is under way as long as the file hold-HOST is there."""
CELLS = (Cell(engine="polars", employees=500, years=2), Cell(engine="polars", employees=1000, years=2))
MINE = """
import time
from dataclasses import replace
from differential.engines import get_engine
from differential.run import Capabilities
from differential.variant import Variant, switches_in_force

class Mine:
    name, capabilities = "oracle+mine", Capabilities(database=False)

    def run(self, worlds, variant):
        time.sleep({seconds})
        run = get_engine("oracle").run(worlds, Variant())
        told = {{"engine": self.name, "threads": variant.threads, "switches": switches_in_force(variant)}}
        return replace(run, proof=replace(run.proof, **told))

engine = Mine()
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUpHosts]:
    """A worker on host one, which is asked first, and one on host two; the last test kills the first."""
    with made_up_hosts(tmp_path_factory.mktemp("hosts"), MEASURING, "one", "two") as made:
        until(lambda: ready(made.address, 2))
        yield made


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "there" in request.fixturenames:
        notes = request.getfixturevalue("there").notes
        for name in ("log", "hold-one", "changed-one", "other-code"):
            (notes / name).unlink(missing_ok=True)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A checkout with another commit's polars engine, and no git."""
    root = tmp_path / "base"
    for package in ("differential", "fixtures"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "test_*"))
    (root / "differential" / "engines" / "polars" / "older.py").touch()
    return root


def request(output: Path, base: Side | None = None, **changes: Any) -> CompareRequest:
    output.mkdir()
    sides = base or Side(ROOT, {"polars": "sql"}), Side(ROOT, {"polars": "polars"})
    return CompareRequest(*sides, CELLS, output, Policy.load(None), "python -m scale compare --as-asked", **changes)


def compared(there: MadeUpHosts, asked: CompareRequest, say: Say = lambda _: None) -> Comparison:
    return compare_on_cluster(asked, there.address, None, say)


def noted(there: MadeUpHosts, word: str) -> list[str]:
    """Hosts of what was noted under that word, in order."""
    return [line[1] for line in there.log() if line[0] == word]


def test_all_pairs_are_taken_on_one_host_that_terminal_record_and_report_name(
    there: MadeUpHosts, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "notes.txt").write_text("mine")
    words = "--engine polars --employees 500 1000 --years 2 --timeout 30 --memory-limit 99999"
    command = [
        "compare",
        "--cluster",
        there.address,
        "--base-checkout",
        str(base),
        "--output",
        str(output),
        *words.split(),
    ]
    main(command)
    refused = capsys.readouterr()
    status = main(command[:-2])
    told = capsys.readouterr()

    assert "this machine has" in refused.out, "what a host has, that host has to say"
    assert status == 1, told
    done = read_record(output / RESULT, Comparison)
    assert (done.host, done.machine.fingerprint, done.lost) == ("one", "machine-of-one", [])
    assert [one.cell for one in done.cells] == list(CELLS)
    assert [one.verdict for one in done.cells] == ["slower", "slower"]
    assert [len(one.confirmation.base) for one in done.cells if one.confirmation] == [20, 20]
    assert set(noted(there, "run")) == {"one"}
    assert len(noted(there, "run")) == 2 + 2 * 2 * (10 + 20)
    assert (done.base.commit, done.candidate.commit) == (None, commit_of(ROOT)), "those of the machine that asked"
    assert (done.advisory, done.verdict) == (False, "fail")
    assert done.command.startswith("python -m scale compare")
    assert "begins on one" in told.err
    assert "a line of its progress" in told.err
    assert "All pairs were taken on one, a host of a cluster." in told.out
    assert "All pairs were taken on one, a host of a cluster." in (output / "report.md").read_text()
    assert sorted(path.name for path in output.iterdir()) == [
        "compare.json", "log.jsonl", "notes.txt", "plots", "report.html", "report.md",
    ]  # fmt: skip


def test_a_result_of_other_code_is_refused_and_leaves_nothing(there: MadeUpHosts, base: Path, tmp_path: Path) -> None:
    (there.notes / "other-code").touch()
    asked = request(tmp_path / "out", Side(base, {"polars": "polars"}))

    with pytest.raises(
        NotMeasuredError, match="the result of one was refused: its base was other code than here"
    ) as raised:
        compared(there, asked)
    assert raised.value.verdict == "insufficient"
    assert list(asked.output.iterdir()) == []


def test_a_worker_that_has_changed_is_told_and_another_host_measures(there: MadeUpHosts, tmp_path: Path) -> None:
    (there.notes / "changed-one").touch()
    said: list[str] = []
    done = compared(there, request(tmp_path / "out"), said.append)

    assert (done.host, done.lost) == ("two", [])
    assert set(noted(there, "run")) == {"two"}
    assert any("gets no work: Python 2.7" in line for line in said)


def test_the_time_runs_while_another_comparison_has_the_host(
    there: MadeUpHosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "GRACE_SECONDS", 10.0)
    (there.notes / "hold-one").touch()
    found: list[Comparison] = []
    other = threading.Thread(target=lambda: found.append(compared(there, request(tmp_path / "other"))))
    other.start()
    until(lambda: len(noted(there, "run")) > 2)
    asked, begun = request(tmp_path / "out", timeout=1.5), time.monotonic()
    with pytest.raises(NotMeasuredError, match="--timeout was over: one was busy with other timed work") as raised:
        compared(there, asked)
    took = time.monotonic() - begun
    (there.notes / "hold-one").unlink()
    other.join()

    assert raised.value.verdict == "timeout"
    assert took < 20
    assert (noted(there, "begin"), list(asked.output.iterdir())) == (["one"], [])
    assert [one.host for one in found] == ["one"]


def test_an_interrupted_comparison_has_ended_on_its_worker_and_leaves_nothing(
    there: MadeUpHosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (there.notes / "hold-one").touch()

    def interrupt() -> None:
        until(lambda: len(noted(there, "run")) > 2)
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    words = "--base-engine sql --engine polars --employees 500 --years 2"
    status = main(["compare", "--cluster", there.address, "--output", str(tmp_path / "out"), *words.split()])
    interrupter.join()

    assert status == 130
    assert noted(there, "end") == ["one"], "when the command ends, so has the worker's"
    assert list((tmp_path / "out").iterdir()) == []
    assert "nothing runs on" in capsys.readouterr().err


def test_a_lost_host_is_told_and_the_comparison_begins_again_whole_on_another(
    there: MadeUpHosts, tmp_path: Path
) -> None:
    (there.notes / "hold-one").touch()
    said: list[str] = []

    def kill() -> None:
        until(lambda: len(noted(there, "run")) > 2)
        os.kill(next(int(line[3]) for line in there.log()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    done = compared(there, request(tmp_path / "out"), said.append)
    killer.join()

    assert (done.host, done.lost, done.machine.fingerprint) == ("two", ["one"], "machine-of-two")
    assert noted(there, "run").count("two") == 2 + 2 * 2 * (10 + 20), "nothing of the lost host is kept"
    assert any("one" in line and "was lost; it begins again whole" in line for line in said)
    assert '"lost":' in (tmp_path / "out" / RESULT).read_text()


def test_without_workers_the_time_runs_out_and_a_scheduler_that_goes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with dask_process("scheduler", "--host", "127.0.0.1", "--port", str(port), folder=tmp_path) as scheduler:
        with pytest.raises(NotMeasuredError, match=r"--timeout was over: .* the scheduler has no workers"):
            compare_on_cluster(request(tmp_path / "a", timeout=0.5), address, None, lambda _: None)
        monkeypatch.setattr(connection, "CONNECT_SECONDS", 3.0)
        killer = threading.Timer(1.0, scheduler.kill)
        killer.start()
        with pytest.raises(UsageError, match=r"the scheduler is gone .* nothing was written. Start it again"):
            compare_on_cluster(request(tmp_path / "b"), address, None, lambda _: None)
        killer.join()


def test_whether_both_sides_are_one_code_is_judged_by_our_commits(tmp_path: Path) -> None:
    found = comparison().model_copy(update={"verdict": "insufficient", "advisory": True})
    code = found.base
    other = code.model_copy(update={"commit": "another"})

    done = as_asked(found, request(tmp_path / "a"), (code, other))
    assert (done.verdict, done.base, done.candidate) == ("pass", code, other)
    assert (done.command, done.commit) == ("python -m scale compare --as-asked", commit_of(ROOT))
    same = as_asked(
        found.model_copy(update={"verdict": "pass", "advisory": False}), request(tmp_path / "b"), (code, code)
    )
    assert (same.verdict, same.advisory) == ("insufficient", True)
    late = found.model_copy(update={"verdict": "timeout"})
    assert as_asked(late, request(tmp_path / "c"), (code, other)).verdict == "timeout"


def test_a_record_from_before_hosts_is_still_read(tmp_path: Path) -> None:
    (tmp_path / RESULT).write_text(comparison().model_dump_json(exclude={"host", "lost"}))

    assert read_record(tmp_path / RESULT, Comparison) == comparison()


def test_a_real_comparison_with_a_base_that_is_sent(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The candidate's engine is in a module beside the project; the base has a module of that name in its checkout."""
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "mine_hosts.py").write_text(MINE.format(seconds=0.1))
    (base / "mine_hosts.py").write_text(MINE.format(seconds=0))
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "regression:\n  pairs_initial: {value: 5, reason: quick}\n  pairs_confirmation: {value: 5, reason: quick}\n"
        "  pairs_confirmation_most: {value: 5, reason: quick}\n"
    )
    monkeypatch.syspath_prepend(str(ours))
    monkeypatch.setenv("PYTHONPATH", str(ours))
    words = f"--engine mine_hosts:engine --employees 20 --years 1 --policy {policy} --base-checkout {base}"
    with local_cluster(tmp_path, processes=False) as cluster:
        command = ["compare", "--cluster", cluster.scheduler_address, "--output", str(tmp_path / "out"), *words.split()]
        status = main(command)
    told = capsys.readouterr()

    assert status == 1, told
    done = read_record(tmp_path / "out" / RESULT, Comparison)
    (cell,) = done.cells
    assert (cell.verdict, cell.same_results, done.verdict) == ("slower", True, "fail")
    assert cell.confirmation is not None
    assert len(cell.confirmation.base) == 5
    assert done.policy == Policy.load(policy).fingerprint
    assert done.base == Side(base, {"mine_hosts:engine": "mine_hosts:engine"}).code()
    assert "Comparison: fail" not in told.err, "the worker's summary is not told twice"
    assert told.out.startswith("Comparison: fail")


class Asked:
    """Stands in for Hosts: a worker `one`, whose comparisons end as was said, or never."""

    def __init__(self, *ends: Answer | Failure, begun: int = 1) -> None:
        self.ends, self.begun, self.orders = list(ends), begun, list[Order]()
        self.looks = 0

    def fit(self) -> dict[str, Any]:
        return {"tcp://one:1": SimpleNamespace(name="one")}

    def start(self, order: Order, address: str, there: Any) -> Any:
        self.orders.append(order)
        return SimpleNamespace(address=address, there=there, begun=self.begun, last="its last words")

    def ended(self, _: Any) -> Answer | Failure | None:
        self.looks += 1
        assert self.looks < 1000, "it goes on without end"
        return self.ends.pop(0) if self.ends else None


LOST, HERE = Failure(lost=True, reason="gone"), facts()


@pytest.mark.parametrize(
    ("asked", "seconds", "kind", "told"),
    [
        (Asked(LOST, LOST, LOST), None, NotMeasuredError, "3 workers were lost while they measured it: one, one, one"),
        (Asked(LOST, Answer("w", HERE, status=130), LOST), None, NotMeasuredError, "3 workers were lost"),
        (Asked(Failure(lost=False, reason="it is broken")), None, NotMeasuredError, "it is broken"),
        (Asked(Answer("w", HERE, status=4)), None, UsageError, "one cannot do this: its last words"),
        (Asked(begun=0), 0.05, NotMeasuredError, "--timeout was over: one was busy with other tasks"),
        (Asked(begun=1), 0.05, NotMeasuredError, "--timeout was over: one went on beyond it"),
        (Asked(LOST), 0.0, NotMeasuredError, "--timeout was over: no host had begun"),
    ],
)
def test_what_ends_a_comparison_without_a_result(
    monkeypatch: pytest.MonkeyPatch, asked: Asked, seconds: float | None, kind: type[Exception], told: str
) -> None:
    monkeypatch.setattr(hosts, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(hosts, "GRACE_SECONDS", 0.05)
    until = None if seconds is None else time.monotonic() + seconds
    comparing = hosts._Comparing(asked, Order("comparison", ()), until, lambda _: None)  # type: ignore[arg-type]

    with pytest.raises(kind, match=told):
        comparing.until_answered()


def test_what_is_measured_is_what_was_asked_for(tmp_path: Path) -> None:
    asked = request(tmp_path / "a", results_may_differ=True, memory_limit=5 * 10**9)
    matrix = "--employees 500 1000 --years 2 --level high --shards 1 --threads 1"

    assert arguments_of(asked) == [
        "compare", "--same-code", "--engine", "polars", "--base-engine", "sql", *matrix.split(), "--results-may-differ",
        "--memory-limit", "5.0",
    ]  # fmt: skip
    sent = request(tmp_path / "b", Side(tmp_path, {"polars": "polars"}))
    assert arguments_of(sent) == ["compare", "--same-code", "--engine", "polars", *matrix.split()]
