"""The command line as users run it: what passes, fails, warns, is off, is refused, and what is wrong usage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from differential.engines import get_engine
from differential.session import ROOT
from differential.testing import ATTACHED
from differential.variant import Variant
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World

SMALL = ("--hypothesis-profile", "quick", "--employees", "8")
WARNED = "rules:\n  - {rule: I19.raise_step, verdict: warn, reason: a cent too much, until: 2099-01-31}\n"

ENGINES = (
    ATTACHED
    + """
def raising(run):
    raise RuntimeError("no licence")


broken = Engine("broken", cent_too_much, levels=("high",), switches=())
failing = Engine("failing", raising, levels=("high",), switches=())
"""
)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    places = ("--repro-dir", str(folder / "repros"), "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", "properties", *places, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False, timeout=300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "attached.py").write_text(ENGINES)
    return tmp_path


def test_a_broken_engine_fails_by_the_check_with_a_bundle_that_replays(folder: Path) -> None:
    report = folder / "report.json"

    done = run(
        *SMALL,
        "--engine",
        "attached:broken",
        "--check",
        "I19",
        "--check",
        "I06",
        "--properties-report",
        str(report),
        folder=folder,
    )

    assert done.returncode == 1, done.stdout
    assert "I19 Pay chain: Each pay event starts from the pay before it" in done.stdout
    records = {record["check"]: record for record in json.loads(report.read_text())["checks"]}
    assert records["I06"]["status"] == "pass"
    assert records["I19"]["status"] == "fail"
    assert records["I19"]["clauses"]["raise_step"] > 0
    bundle = Path(records["I19"]["bundle"])
    assert json.loads((bundle / "repro.json").read_text())["employees"] == 1
    again = run("--replay", str(bundle), folder=folder)
    assert again.returncode == 1, again.stdout
    assert "I19 Pay chain" in again.stdout


def test_a_rule_makes_a_known_break_a_warning_and_the_rest_still_fails(folder: Path) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(WARNED)
    chosen = (*SMALL, "--engine", "attached:broken", "--check", "I19", "--rules", str(rules))

    partly = run(*chosen, folder=folder)  # the year's closing pay differs too, and no rule speaks of it
    assert partly.returncode == 1, partly.stdout
    assert "clause closing" in partly.stdout

    rules.write_text(WARNED.replace("I19.raise_step", "I19"))
    warned = run(*chosen, folder=folder)
    assert warned.returncode == 0, warned.stdout
    assert "1 warn" in warned.stdout
    assert "I19 warn until 2099-01-31: a cent too much (does not hold on" in warned.stdout

    rules.write_text(WARNED.replace("I19.raise_step, verdict: warn", "I19, verdict: off"))
    off = run(*chosen, folder=folder)
    assert "1 off" in off.stdout
    assert " passed" not in off.stdout


def test_a_rule_that_is_not_needed_or_out_of_date_is_said(folder: Path) -> None:
    rules = folder / "rules.yaml"
    rules.write_text("rules:\n  - {rule: I06, verdict: off, reason: r, until: 2020-01-31}\n")

    done = run(*SMALL, "--engine", "polars", "--check", "I06", "--rules", str(rules), folder=folder)

    assert done.returncode == 1
    assert "it holds all the same: remove the entry" in done.stdout
    assert "I06 is past its end date 2020-01-31" in done.stdout
    assert "1 off" in done.stdout


def test_an_engine_that_raises_fails_its_run_and_nothing_is_passed(folder: Path) -> None:
    done = run(*SMALL, "--engine", "attached:failing", "--check", "run", "--check", "I01", folder=folder)

    assert done.returncode == 1
    assert "RuntimeError" in done.stdout
    assert " passed" not in done.stdout.splitlines()[-1]


def test_results_of_another_system(folder: Path) -> None:
    world = World(generate(30, seed=4), Scenario(end_year=2025))
    get_engine("sql").run([world], Variant(database=folder / "theirs.duckdb"))

    done = run("--results", str(folder / "theirs.duckdb"), folder=folder)

    assert done.returncode == 0, done.stdout
    assert "I01    Headcount flow" in done.stdout
    assert "not checked on results without scenario" in done.stdout


def test_without_results_there_is_no_item_for_them(folder: Path) -> None:
    done = run("--all", "--collect-only", "-q", folder=folder)

    assert done.returncode == 0, done.stdout
    assert "test_invariant[sql-I01]" in done.stdout
    assert "test_results[" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--check", "I99"), "--check I99: no such check"),
        (("--mapping", "x.yaml"), "--mapping: goes with --results"),
        (("--results", "nowhere", "--engine", "sql"), "--results: checks tables without any engine"),
        (("--rules", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], said: str, folder: Path) -> None:
    done = run(*arguments, folder=folder)

    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
