"""The commands as they are typed, on a made-up checkout: what is compared, what is not run, and what is told of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from differential.navigator.settings import CACHE, Settings
from differential.navigator.testing import RECORDED, runs_of, stand_in

ROOT = Path(__file__).resolve().parents[2]


def pytest_in(folder: Path, settings: Settings, suite: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, "-m", "pytest", suite, "-q", "-p", "no:cacheprovider", f"--navigator-home={settings.home}",
        f"--navigator-python={settings.python}", f"--navigator-config={settings.config}",
        f"--census={RECORDED / 'census_100.parquet'}", "--years", "2025", "2026", f"--repro-dir={folder / 'repros'}", *words,
    ]  # fmt: skip
    environment = {
        CACHE: str(folder / "cache"),
        "PATH": "/usr/bin:/bin",
        "POLARS_MAX_THREADS": "1",
        "HOME": str(folder),
    }
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False, env=environment)


def test_a_budget_is_spent_in_the_order_of_worth_and_the_rest_is_told(tmp_path: Path) -> None:
    settings = stand_in(tmp_path)
    both = ("--engine", "navigator:sql", "--engine", "navigator:polars", "--keep-identities")

    done = pytest_in(
        tmp_path, settings, "differential", *both, "--budget-runs", "6", f"--parity-report={tmp_path / 'matrix.json'}"
    )

    assert done.returncode == 1, done.stdout + done.stderr
    matrix = json.loads((tmp_path / "matrix.json").read_text())
    status = {f"{test['test']} {test['name']}": test["status"] for test in matrix["tests"]}
    assert status == {
        "sql_vs_polars navigator:sql-navigator:polars": "fail",
        "levels navigator:sql": "refused",
        "levels navigator:polars": "refused",
        "threads navigator:sql-4": "pass",
        "threads navigator:polars-4": "pass",
        "same_seed navigator:sql": "not run",
        "same_seed navigator:polars": "not run",
        "several_years navigator:sql-prefix": "not run",
        "several_years navigator:polars-prefix": "not run",
        "sql_vs_polars navigator:sql-navigator:polars-slices": "not run",
    }
    assert len(runs_of(settings)) == 6  # two compared, two to reduce, two with four threads
    assert "5 of 10 comparisons were not run; none of them counts as passed" in done.stdout
    assert "optimization.level is read by no code" in done.stdout
    [raises] = [found for found in matrix["tests"][0]["by_type"] if found["what"] == "raise"]
    assert (raises["left"], raises["right"]) == (197, 8)
    assert "5 employees, 1 year, reduced in 2 runs" in done.stdout
    assert "effective_date TIMESTAMP read as event_date DATE: 52 rows a time of day dropped" in done.stdout


def test_its_invariants_are_held_with_its_own_rules_and_what_is_known_is_a_warning(tmp_path: Path) -> None:
    settings = stand_in(tmp_path)
    rules = ROOT / "differential" / "mappings" / "planwise_navigator.sql.rules.yaml"

    done = pytest_in(tmp_path, settings, "properties", "--engine", "navigator:sql", f"--rules={rules}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(runs_of(settings)) == 1
    assert "I07[navigator:sql]: rule I07.before_hire warn at most 7" in done.stdout
    assert "I37.balance" in done.stdout
    assert "news" not in done.stdout
    assert not (tmp_path / "repros").exists()
    settings = stand_in(tmp_path / "other", raises_later=True)
    done = pytest_in(tmp_path / "other", settings, "properties", "--engine", "navigator:sql", f"--rules={rules}")
    assert done.returncode == 1
    assert "I19[navigator:sql]: fail" in done.stdout


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    settings = stand_in(tmp_path)

    none = pytest_in(tmp_path, settings, "differential", "--engine", "sql", "--budget-runs", "3")
    many = pytest_in(tmp_path, settings, "differential", "--engine", "navigator:sql", "--budget-runs", "3", "-n", "2")

    assert "no engine here has runs that take minutes" in none.stderr
    assert "one budget is for one process" in many.stderr
    assert runs_of(settings) == []
