"""The command line as users run it: what passes, what fails and leaves a bundle, what is refused, and what is wrong usage."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from differential.repro import load_bundle
from differential.session import ROOT
from differential.testing import ATTACHED

SMALL = ("--hypothesis-profile", "quick", "--employees", "8", "-p", "no:cacheprovider")

ENGINES = (
    ATTACHED
    + """
def die(run):
    os._exit(7)


broken = Engine("broken", cent_too_much)
clean = Engine("clean", lambda run: run)
unproven = Engine("unproven", lambda run: replace(run, proof=None))
fallen_back = Engine("fallen", lambda run: replace(run, proof=replace(run.proof, engine="sql")))
dying = Engine("dying", die)
"""
)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "differential", "--repro-dir", str(folder / "repros"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False, timeout=300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "attached.py").write_text(ENGINES)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--engine", "duck"), "unknown engine 'duck'"),
        (("--engine", "nowhere:x"), "cannot be imported"),
        (("--census", "none.parquet"), "none.parquet: cannot be read"),
        (("--scenario", "none.yaml"), "none.yaml: cannot be read"),
        (("--years", "2030", "2020"), "end_year 2020 is outside"),
        (("--years", "2090", "2091"), "limits: no entry for year 2090"),
        (("--employees", "0"), "expected at least 1"),
        (("--slice", "5/4"), "expected I/N"),
        (("--parity", "speed"), "invalid choice"),
        (("--policy", "none.yaml"), "none.yaml"),
        (("--parity-report", "x.txt"), "expected a file ending in .json or .md"),
        (("--hypothesis-profile", "default"), "expected one of quick, ci, nightly"),
    ],
)
def test_wrong_usage_has_one_clear_message_and_its_own_status(
    arguments: tuple[str, ...], message: str, folder: Path
) -> None:
    done = run(*arguments, folder=folder)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_broken_engine_fails_with_a_bundle_that_replays(folder: Path) -> None:
    engines = ("--engine", "sql", "--engine", "attached:broken", "--parity", "sql_vs_polars")
    reports = (
        "--parity-report",
        str(folder / "p.json"),
        "--parity-report",
        str(folder / "p.md"),
        "--junitxml",
        str(folder / "j.xml"),
    )

    done = run(*SMALL, *engines, *reports, folder=folder)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    (bundle,) = (folder / "repros").iterdir()
    repro = json.loads((bundle / "repro.json").read_text())
    assert repro["employees"] == 1
    assert repro["first_divergence"]["event_type"] == "raise"
    assert repro["command"] == (
        "pytest differential --parity sql_vs_polars --engine sql --engine attached:broken --employees 8 --hypothesis-profile quick"
    )
    report = json.loads((folder / "p.json").read_text())
    assert report["status"] == "fail"
    assert report["tests"][0]["bundle"] == str(bundle)
    assert "| fail |" in (folder / "p.md").read_text()
    case = ET.parse(folder / "j.xml").getroot().find(".//testcase[failure]")
    assert case is not None
    assert {p.get("name"): p.get("value") for p in case.iter("property")}["parity_status"] == "fail"
    replayed = run("--replay", str(bundle), folder=folder)
    assert replayed.returncode == 1, replayed.stdout
    assert "raise" in replayed.stdout
    (folder / "attached.py").write_text(ENGINES.replace("pa.scalar(1,", "pa.scalar(0,"))
    assert run("--replay", str(bundle), folder=folder).returncode == 0
    (folder / "attached.py").unlink()
    assert run("--replay", str(bundle), folder=folder).returncode == 125


@pytest.mark.parametrize(
    ("engine", "status", "message"),
    [("unproven", "unproven", "no proof on the right"), ("fallen_back", "refused", "both sides ran with engine sql")],
)
def test_a_comparison_that_proves_nothing_is_an_error(engine: str, status: str, message: str, folder: Path) -> None:
    engines = ("--engine", "sql", "--engine", f"attached:{engine}", "--parity", "sql_vs_polars")

    done = run(
        *SMALL, *engines, "--parity-report", str(folder / "p.json"), "--junitxml", str(folder / "j.xml"), folder=folder
    )

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 error" in done.stdout
    assert message in done.stdout
    assert json.loads((folder / "p.json").read_text())["status"] == status
    assert ET.parse(folder / "j.xml").getroot().find(".//testcase/error") is not None


def test_a_dying_engine_is_reported_with_its_input_and_the_run_goes_on(folder: Path) -> None:
    engines = ("--engine", "attached:dying", "--engine", "polars", "--parity", "sql_vs_polars", "--parity", "shards")

    done = run(*SMALL, *engines, "--employees", "2", folder=folder)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "attached:dying: its process ended with exit status 7" in done.stdout
    assert "run_attached" not in done.stdout
    assert any((path / "census.csv").exists() for path in (folder / "repros").iterdir())
    assert "shards[polars-4]" in done.stdout


def test_a_single_engine_is_compared_with_itself_over_what_it_can(folder: Path) -> None:
    done = run(
        *SMALL,
        "--engine",
        "attached:clean",
        "--parity",
        "shards",
        "--parity",
        "legacy",
        "--parity",
        "threads",
        folder=folder,
    )

    assert done.returncode == 0, done.stdout
    lines = [line.split()[0] for line in done.stdout.splitlines() if "  pass" in line]
    assert lines == ["legacy[attached:clean]", "shards[attached:clean-4]", "shards[attached:clean-8]"]


def test_under_xdist_the_reports_are_the_same(folder: Path) -> None:
    common = (*SMALL, "--parity", "shards", "--parity", "sql_vs_polars")
    alone = run(*common, "--parity-report", str(folder / "a.json"), folder=folder)
    spread = run(*common, "--parity-report", str(folder / "b.json"), "-n", "2", folder=folder)

    assert (alone.returncode, spread.returncode) == (0, 0), spread.stdout
    facts = [
        {
            (t["test"], t["name"]): (t["status"], t["worlds"], t["scores"])
            for t in json.loads((folder / name).read_text())["tests"]
        }
        for name in ("a.json", "b.json")
    ]
    assert facts[0] == facts[1]
    assert len(facts[0]) == 5


def test_a_policy_entry_that_nothing_needs_fails(folder: Path) -> None:
    (folder / "policy.yaml").write_text(
        "ignore:\n- {column: event_id, table: fct_yearly_events, reason: random ids, until: 2999-01-01}\n"
    )

    done = run(*SMALL, "--engine", "attached:clean", "--policy", str(folder / "policy.yaml"), folder=folder)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "no difference needed it" in done.stdout


def test_minutes_bound_the_time_and_draw_other_worlds(folder: Path) -> None:
    done = run(
        *SMALL,
        "--minutes",
        "0.05",
        "--parity",
        "sql_vs_polars",
        "--parity-report",
        str(folder / "p.json"),
        folder=folder,
    )

    assert done.returncode == 0, done.stdout
    assert json.loads((folder / "p.json").read_text())["tests"][0]["worlds"] > 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--minutes", "nan"), "expected a number above 0"),
        (("--minutes", "-1"), "expected a number above 0"),
        (("--hypothesis-profile", "nope"), "expected one of quick, ci, nightly"),
        (("--repro-dir", "README.md"), "is not a folder that can be written to"),
        (("--parity-report", "README.md/p.md"), "is not a folder that can be written to"),
    ],
)
def test_what_would_only_fail_later_is_refused_at_once(arguments: tuple[str, ...], message: str, folder: Path) -> None:
    done = run(*arguments, folder=folder)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


LEAKY = (
    ENGINES
    + """

def leak(run):
    state = run.state
    raise ValueError(f"bad person {state['employee_id'][0]} {state['employee_ssn'][0]} {state['current_salary'][0]}")


def nothing(run):
    return None


leaky = Engine("leaky", leak)
none = Engine("none", nothing)
"""
)


def test_what_an_engine_says_of_a_given_census_is_in_no_report(folder: Path) -> None:
    (folder / "attached.py").write_text(LEAKY)
    header = "employee_id,employee_ssn,employee_birth_date,employee_hire_date,employee_termination_date,"
    header += "employee_gross_compensation,active,employee_deferral_rate"
    row = "Ada Lovelace,123-45-6789,1985-01-01,2020-01-01,,61234.56,true,0.05"
    (folder / "people.csv").write_text(f"{header}\n{row}\n")
    reports = (
        "--parity-report",
        str(folder / "p.json"),
        "--parity-report",
        str(folder / "p.md"),
        "--junitxml",
        str(folder / "j.xml"),
    )

    done = run(
        "--hypothesis-profile", "quick", "--engine", "sql", "--engine", "attached:leaky", "--parity", "sql_vs_polars",
        "--census", str(folder / "people.csv"), *reports, folder=folder,
    )  # fmt: skip

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    written = [path for path in (folder / "repros").rglob("*") if path.is_file()]
    texts = [done.stdout, done.stderr, *(path.read_text() for path in (*written, *folder.glob("?.*")))]
    for secret in ("Lovelace", "123-45-6789", "61234"):
        assert not any(secret in text for text in texts), secret


def test_an_engine_that_returns_nothing_fails_and_never_shows_as_a_pass(folder: Path) -> None:
    (folder / "attached.py").write_text(LEAKY)

    done = run(
        *SMALL, "--engine", "sql", "--engine", "attached:none", "--parity", "sql_vs_polars", "--parity-report",
        str(folder / "p.json"), folder=folder,
    )  # fmt: skip

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert json.loads((folder / "p.json").read_text())["status"] == "fail"
    assert "expected a Run" in done.stdout


def test_the_command_in_a_repro_finds_it_again(folder: Path) -> None:
    engines = ("--engine", "sql", "--engine", "attached:broken", "--parity", "sql_vs_polars")
    seeds = ("--hypothesis-profile", "quick", "--hypothesis-seed", "5", "--minutes", "0.01", "--random-seed", "7")
    done = run(*seeds, *engines, "--years", "2026", "2026", "--employees", "400", folder=folder)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    (bundle,) = (folder / "repros").iterdir()
    command = shlex.split(json.loads((bundle / "repro.json").read_text())["command"])
    found = bundle.rename(folder / "found")

    again = run(*command[2:], folder=folder)

    assert command[:2] == ["pytest", "differential"]
    assert again.returncode == pytest.ExitCode.TESTS_FAILED, again.stdout
    (second,) = (folder / "repros").iterdir()
    first, other = (load_bundle(path / "unreduced").finding for path in (found, second))
    assert first.world.fingerprint == other.world.fingerprint
