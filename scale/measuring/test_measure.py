"""One run of one cell: what is measured, what is refused, and what is left of a run that goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from scale.measuring import measure, measure_leak
from scale.measuring import monitor as monitor_module
from scale.measuring.monitor import Monitor
from scale.measuring.run import ROOT
from scale.records import Cell, Memory, Run

MIB = 2**20
SMALL = {"employees": 50, "years": 2}


def cell(engine: str, **axes: Any) -> Cell:
    named = engine if engine in ("sql", "polars", "oracle") else f"scale.measuring.testing_engines:{engine}"
    return Cell(engine=named, **{**SMALL, **axes})


def run_one(engine: str, folder: Path, *, timeout: float = 60, **axes: Any) -> Run:
    run = measure(cell(engine, **axes), round=0, timeout=timeout, folder=folder)
    assert list(folder.iterdir()) == []  # databases and spill files are gone, whatever happened
    return run


def memory_of(run: Run) -> Memory:
    assert run.memory is not None
    return run.memory


def versions_of(run: Run) -> dict[str, str]:
    versions = run.proof["versions"]
    assert isinstance(versions, list)
    return dict(text.split(" ", 1) for text in versions)


def test_both_engines_are_measured_alike(tmp_path: Path) -> None:
    sql, polars = (run_one(engine, tmp_path, threads=2, shards=2) for engine in ("sql", "polars"))
    for run in (sql, polars):
        assert (run.status, run.error) == ("ok", "")
        assert run.seconds is not None and run.process_seconds is not None and 0 < run.seconds < run.process_seconds
        assert run.cpu_seconds is not None and run.cpu_seconds > 0 and run.monitor_seconds is not None
        assert len(run.years) == 2 and 0 < sum(run.years) < run.seconds
        assert {"event_generation", "state", "database"} <= set(run.stages)
        assert (run.proof["engine"], run.proof["threads"], run.proof["shards"]) == (run.cell.engine, 2, 2)
        assert run.database_bytes and run.statements and (run.written_bytes or 0) > 0
        assert [sum(year) for year in zip(*run.rows_by_year, strict=True)] == [run.events, run.state_rows]
        memory = memory_of(run)
        assert memory.before < memory.sampled_peak <= memory.peak and memory.samples >= 2 and memory.longest_gap > 0
    assert sql.hashes == polars.hashes and len(sql.hashes) == 2


def test_hashes_are_left_out_above_the_limit(tmp_path: Path) -> None:
    run = measure(cell("plain"), round=3, warm_up=True, timeout=60, folder=tmp_path, hash_rows_limit=100)
    assert (run.status, run.hashes, run.round, run.counted) == ("ok", {}, 3, False)


@pytest.mark.parametrize(
    ("engine", "status", "said"),
    [
        ("raises", "failed", "ValueError: no such year"),
        ("raises", "failed", "it had printed:\n  | what the engine printed"),
        ("leaves", "failed", "SystemExit: I am done"),
        ("lacks_memory", "memory", "MemoryError"),
        ("dies", "failed", "ended with exit status 3 during the simulation"),
        ("crashes", "failed", "by signal SIGSEGV during the simulation"),
        ("is_killed", "memory", "most likely out of memory"),
        ("absent", "failed", "has no 'absent'"),
    ],
)
def test_a_run_that_breaks_is_a_result(engine: str, status: str, said: str, tmp_path: Path) -> None:
    run = run_one(engine, tmp_path)
    assert (run.status, run.seconds, run.counted) == (status, None, False)
    assert said in run.error
    assert ('File "' in run.error) == (engine in ("raises", "leaves", "lacks_memory"))


@pytest.mark.parametrize(
    ("engine", "axes", "said"),
    [
        ("ignores_threads", {"threads": 2}, "1 threads were in force, not 2"),
        ("ignores_level", {}, "switches none ran; level high is fused_events"),
        ("forced_legacy", {}, "unset FEATURE_FLAG_LEGACY_EVENTS"),
        ("one_shard", {"shards": 2}, "1 shards were built, not 2"),
        ("all_in_one_shard", {"shards": 2}, "all people were in one of them"),
        ("falls_back", {}, "something else than asked: ran as sql"),
        ("drops_a_year", {}, "no state rows of 2026"),
        ("without_proof", {}, "no proof"),
        ("other_input", {}, "another input"),
        ("no_database", {}, "given a database file and left none"),
    ],
)
def test_a_run_that_is_not_its_cell_is_refused(engine: str, axes: dict[str, Any], said: str, tmp_path: Path) -> None:
    run = run_one(engine, tmp_path, **axes)
    assert run.status == "refused" and said in run.error and not run.counted


def test_the_honest_engine_of_those_is_not_refused(tmp_path: Path) -> None:
    run = run_one("plain", tmp_path, threads=2, shards=2, level="medium")
    assert (run.status, run.error) == ("ok", "")


def test_the_legacy_flag_of_the_environment_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEATURE_FLAG_LEGACY_EVENTS", "true")
    run = run_one("polars", tmp_path)
    assert run.status == "refused" and "legacy flag" in run.error


@pytest.mark.parametrize(("axis", "value"), [("threads", 2), ("shards", 2), ("level", "low")])
def test_an_axis_that_an_engine_lacks_is_a_failure(axis: str, value: Any, tmp_path: Path) -> None:
    run = run_one("narrow", tmp_path, **{axis: value})
    assert run.status == "failed" and axis in run.error and "Traceback" not in run.error


# Memory


def test_a_short_peak_is_found_between_two_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(monitor_module._LEAST, "resident", 30.0)
    memory = memory_of(run_one("peaks", tmp_path))
    assert memory.sampled_peak < memory.before + 100 * MIB and memory.longest_gap > 0.2  # sampling alone misses it
    assert memory.peak > memory.before + 299 * MIB


def test_the_peak_is_that_of_the_kernel(tmp_path: Path) -> None:
    run = run_one("holds_much", tmp_path)
    assert memory_of(run).peak == pytest.approx(int(versions_of(run)["VmHWM"]) * 1024, rel=0.01)
    assert memory_of(run).peak > 512 * MIB


def test_memory_before_the_simulation_is_not_of_it(tmp_path: Path) -> None:
    memory = memory_of(run_one("peaked_before", tmp_path))
    assert memory.peak < memory.before + 200 * MIB


def test_memory_of_children_counts(tmp_path: Path) -> None:
    memory = memory_of(run_one("works_in_a_child", tmp_path))
    assert memory.sampled_rss_peak > memory.before + 299 * MIB
    assert memory.peak > memory.before + 299 * MIB


def test_peaks_that_never_fell_together_are_not_added_up(tmp_path: Path) -> None:
    memory = memory_of(run_one("works_in_three", tmp_path))
    assert memory.before + 199 * MIB < memory.peak < memory.before + 300 * MIB


def test_cpu_of_a_child_that_stays_counts(tmp_path: Path) -> None:
    run = run_one("burns_in_a_child", tmp_path)
    assert run.cpu_seconds is not None and run.cpu_seconds >= 0.29


@pytest.mark.parametrize("limit", [400 * MIB, 20 * MIB])
def test_too_much_memory_is_stopped(limit: int, tmp_path: Path) -> None:
    begun = time.monotonic()
    run = measure(cell("grows"), round=0, timeout=60, folder=tmp_path, memory_limit=limit)
    assert run.status == "memory" and f"limit of {limit / 2**30:.2f} GiB" in run.error
    assert time.monotonic() - begun < 10
    if limit > 100 * MIB:  # the lesser limit is reached before the simulation
        assert limit < memory_of(run).peak < 2 * limit
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_not_watched_to_its_end_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Monitor, "_note_marks", _broken_at_the_second_call())
    run = run_one("sleeps", tmp_path)
    assert run.status == "failed" and "could not be watched to the end: OSError('broken')" in run.error


def _broken_at_the_second_call() -> Callable[..., None]:
    calls = iter([None, OSError("broken")])

    def note_marks(*_arguments: object) -> None:
        if error := next(calls, None):
            raise error

    return note_marks


def test_the_monitor_costs_less_than_one_percent(tmp_path: Path) -> None:
    run = run_one("polars", tmp_path, employees=5000)
    assert run.monitor_seconds is not None and run.seconds is not None
    assert run.monitor_seconds < 0.01 * run.seconds + monitor_module._CREDIT


# Processes


def test_a_hang_is_a_timeout_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stray = tmp_path / "stray"
    monkeypatch.setenv("STRAY", str(stray))
    (tmp_path / "runs").mkdir()
    run = run_one("hangs", tmp_path / "runs", timeout=6)
    assert run.status == "timeout" and "no result in 6 s; it was killed during the simulation" in run.error
    assert gone(int(stray.read_text()))


@pytest.mark.parametrize(("engine", "status"), [("strays", "ok"), ("dies_beside_a_child", "failed")])
def test_strays_do_not_outlive_a_run(engine: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(monitor_module._LEAST, "resident", 30.0)  # so that nobody has seen them while it ran
    stray = tmp_path / "stray"
    monkeypatch.setenv("STRAY", str(stray))
    (tmp_path / "runs").mkdir()
    assert run_one(engine, tmp_path / "runs").status == status
    assert gone(int(stray.read_text()))


PARENT = """
import sys
from pathlib import Path
from typing import Any
from scale.measuring import measure
from scale.records import Cell
hangs = Cell(engine="scale.measuring.testing_engines:hangs", employees=50, years=2)
measure(hangs, round=0, timeout=60, folder=Path(sys.argv[1]))
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_parent_leaves_nothing(sent: signal.Signals, tmp_path: Path) -> None:
    stray, folder = tmp_path / "stray", tmp_path / "runs"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)],
        env={**os.environ, "STRAY": str(stray), "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 30
        while not (stray.exists() and stray.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        (child,) = psutil.Process(parent.pid).children()
        parent.send_signal(sent)
        assert parent.wait(20) == -sent
    finally:
        parent.kill()
        parent.wait()
    assert gone(child.pid)
    if sent != signal.SIGKILL:  # which lets nobody clean up: the child still ends, with its parent
        assert gone(int(stray.read_text())) and list(folder.iterdir()) == []
    else:
        os.kill(int(stray.read_text()), signal.SIGKILL)
        assert len(list(folder.iterdir())) == 1
        assert run_one("plain", folder).status == "ok"  # and what it left is removed by the next run


def gone(pid: int) -> bool:
    """Whether it ends within a moment; one that nobody waited for yet has ended too."""
    for _ in range(100):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


# Other checkouts


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for package in ("differential", "fixtures"):
        shutil.copytree(ROOT / package, tmp_path / "other" / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "other"


def test_another_checkout_is_what_runs(checkout: Path, tmp_path: Path) -> None:
    """An older release too: here one that knows no seconds of a year, and says its own name for a library."""
    run_py = checkout / "differential" / "run.py"
    run_py.write_text(run_py.read_text().replace("    year_seconds: tuple[float, ...] = ()\n", ""))
    engine = checkout / "differential" / "engines" / "sql" / "engine.py"
    lines = engine.read_text().splitlines(keepends=True)
    engine.write_text(
        "".join(line for line in lines if "year_seconds=" not in line).replace('"pyarrow": ', '"older": ')
    )
    run = measure(cell("sql"), round=0, timeout=60, folder=tmp_path / "runs", root=checkout)
    assert (run.status, run.error, run.years) == ("ok", "", [])
    assert "older" in versions_of(run)


def test_a_root_that_is_no_checkout_does_not_run_this_one_instead(tmp_path: Path) -> None:
    run = measure(cell("sql"), round=0, timeout=60, folder=tmp_path, root=tmp_path / "empty")
    assert run.status == "failed" and "is that a checkout of this project?" in run.error


# Leaks


def test_what_runs_keep_shows(tmp_path: Path) -> None:
    kept = measure_leak(cell("leaks"), repeats=3, timeout=60, folder=tmp_path)
    clean = measure_leak(cell("peaks"), repeats=3, timeout=60, folder=tmp_path)
    fragmented = measure_leak(cell("fragments"), repeats=2, timeout=60, folder=tmp_path)
    assert kept.status == clean.status == "ok" and len(kept.seconds) == len(clean.after) == 3
    assert min(after - before for before, after in zip(kept.after, kept.after[1:], strict=False)) > 19 * MIB
    assert max(clean.after[1:]) - clean.after[0] < 5 * MIB
    assert fragmented.after[0] < clean.after[0] + 20 * MIB  # what is free has gone back to the system
    assert list(tmp_path.iterdir()) == []


def test_a_leak_check_that_breaks_says_so(tmp_path: Path) -> None:
    broken = measure_leak(cell("raises"), repeats=2, timeout=60, folder=tmp_path)
    assert broken.status == "failed" and "no such year" in broken.error
    endless = measure_leak(cell("hangs"), repeats=2, timeout=5, folder=tmp_path)
    assert endless.status == "timeout" and "in run 1 of 2" in endless.error
