"""The commands as their users run them: real engines on few people, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from differential.session import ROOT
from scale.records import Comparison, read_record
from scale.sweep.state import read_sweep

TINY = ("--employees", "40", "80", "--years", "2", "--no-leak-check")


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scale", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )


def scale(*arguments: str) -> tuple[int, str]:
    process = started(*arguments)
    told, _ = process.communicate(timeout=300)
    return process.returncode, told


def test_a_tiny_sweep_measures_everything_and_passes_nothing(tmp_path: Path) -> None:
    status, told = scale("sweep", *TINY, "--runs", "1", "--threads", "1", "2", "--output", str(tmp_path))
    sweep = read_sweep(tmp_path)

    assert status == 3, told
    assert sweep.complete
    assert {run.status for run in sweep.runs} == {"ok"}
    assert all(run.memory and run.years and run.hashes and run.database_bytes for run in sweep.runs)
    assert next(check for check in sweep.checks if check.id == "tables").verdict == "pass"
    assert {path.name for path in tmp_path.iterdir()} == {
        "results.json",
        "log.jsonl",
        "report.md",
        "report.html",
        "plots",
    }
    assert list((tmp_path / "plots").glob("*.png"))


def test_an_interrupted_sweep_leaves_no_process_and_no_database_and_goes_on(tmp_path: Path) -> None:
    arguments = ("sweep", *TINY, "--runs", "2", "--engine", "polars", "--output", str(tmp_path))
    process = started(*arguments)
    while not (tmp_path / "results.json").exists() or len(read_sweep(tmp_path).runs) < 3:
        assert process.poll() is None
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    kept = read_sweep(tmp_path)

    assert process.returncode == 130
    assert "Go on with: python -m scale sweep" in told
    assert "Traceback" not in told
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("measuring")]

    status, told = scale(*arguments)
    runs = read_sweep(tmp_path).runs
    assert status == 3, told
    assert [run for run in runs if not run.warm_up][: sum(not run.warm_up for run in kept.runs)] == [
        run for run in kept.runs if not run.warm_up
    ]
    assert len({(run.cell.key, run.round) for run in runs if not run.warm_up}) == 4


@pytest.fixture
def base_checkout(tmp_path: Path) -> Path:
    """This project without scale/, one comment older."""
    base = tmp_path / "base"
    for package in ("differential", "fixtures"):
        shutil.copytree(ROOT / package, base / package, ignore=shutil.ignore_patterns("__pycache__", "test_*.py"))
    with (base / "differential/engines/polars/engine.py").open("a", encoding="utf-8") as file:
        file.write("# the release before\n")
    return base


def test_a_base_checkout_is_compared_in_turn_and_its_own_code_runs(base_checkout: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "regression:\n  pairs_initial: {value: 5, reason: a test}\n  pairs_confirmation: {value: 5, reason: a test}\n"
        "  pairs_confirmation_most: {value: 5, reason: a test}\n"
    )
    arguments = ("--engine", "polars", "--employees", "60", "--years", "1", "--policy", str(policy))
    status, told = scale(
        "compare", "--base-checkout", str(base_checkout), *arguments, "--output", str(tmp_path / "out")
    )
    comparison = read_record(tmp_path / "out" / "compare.json", Comparison)

    assert status in (0, 1, 3), (
        told
    )  # five pairs of a fifth of a second decide nothing; that they were taken is what counts
    assert comparison.base.fingerprint != comparison.candidate.fingerprint
    assert [len(cell.initial.base) for cell in comparison.cells] == [5]
    assert [cell.same_results for cell in comparison.cells] == [True]
    sides = [json.loads(line).get("side") for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert sides[3:7] == ["base", "candidate", "candidate", "base"]


def test_a_sweep_out_of_time_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    status, told = scale("sweep", *TINY, "--runs", "9", "--timeout", "0.05", "--output", str(tmp_path))

    assert status == 2, told
    assert not read_sweep(tmp_path).complete
    assert (tmp_path / "report.md").read_text().startswith("# Sweep: timeout")
