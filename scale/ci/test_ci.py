"""`python -m scale ci`: the time limit holds during a step, no process is left, and later steps run after one that fails."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from differential.session import ROOT
from scale import ci
from scale.ci.modes import MODES, Given, ModeName, Step, StepName, steps_of
from scale.ci.report import overall
from scale.ci.steps import Outcome, StepResult, outcome_of, run_step
from scale.status import Status

ORPHAN = """
import subprocess, sys, time, signal, pathlib
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)  # the worst of children
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
print("begun", flush=True)
time.sleep(60)
"""


def step_of(folder: Path, code: str, *arguments: str, name: StepName = "sweep") -> Step:
    return Step(name, ("-c", code, *arguments), folder / "logs" / f"{name}.log")


def gone(pid_file: Path) -> bool:
    """Whether the process has ended; a killed one takes a while to go on a busy machine."""
    pid = int(pid_file.read_text())
    for _ in range(500):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_the_time_limit_ends_a_step_and_everything_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scale.ci.steps.GRACE", (0.2, 0.2))
    pid = tmp_path / "pid"

    result = run_step(step_of(tmp_path, ORPHAN, str(pid)), time.monotonic() + 1.0)

    assert result.outcome == "timeout" and 1.0 <= result.seconds < 5
    assert gone(pid)
    assert "begun" in (tmp_path / "logs" / "sweep.log").read_text()


def test_a_step_gets_the_chance_to_save_what_it_has(tmp_path: Path) -> None:
    code = "import time\ntry:\n time.sleep(60)\nexcept KeyboardInterrupt:\n print('saved', flush=True)"

    result = run_step(step_of(tmp_path, code), time.monotonic() + 1.0)

    assert result.outcome == "timeout"
    assert "saved" in (tmp_path / "logs" / "sweep.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_process_and_a_summary(number: signal.Signals, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    driver = f"""
import argparse, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from scale import ci
from scale.ci import steps
from scale.ci.modes import Step
steps.GRACE = (0.2, 0.2)
out = Path({str(tmp_path / "out")!r})
ci.steps_of = lambda given: [Step("sweep", ("-c", {ORPHAN!r}, {str(pid)!r}), out / "logs" / "sweep.log")]
parser = argparse.ArgumentParser()
ci.add_arguments(parser)
sys.exit(int(ci.run(parser.parse_args(["--mode", "quick", "--output", str(out)]))))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", driver], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        for _ in range(500):
            if pid.exists() and pid.read_text():
                break
            time.sleep(0.02)
        process.send_signal(number)
        shown, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == Status.INTERRUPTED, shown
    assert gone(pid)
    record = json.loads((tmp_path / "out" / "ci.json").read_text())
    assert [(step["name"], step["outcome"]) for step in record["steps"]] == [("sweep", "interrupted")]
    assert "interrupted" in (tmp_path / "out" / "ci.md").read_text()


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    ci.add_arguments(parser)
    return parser.parse_args(arguments)


def test_a_step_that_fails_stops_no_later_one_and_time_that_is_over_stops_all_but_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    codes: dict[StepName, str] = {
        "parity": "print('no'); raise SystemExit(1)",
        "properties": "raise SystemExit(0)",
        "sweep": "import time; time.sleep(30)",
        "compare": "raise SystemExit(0)",
        "gate": "print('decided'); raise SystemExit(3)",
    }
    monkeypatch.setattr(
        ci, "steps_of", lambda _given: [step_of(tmp_path, code, name=name) for name, code in codes.items()]
    )

    status = ci.run(options("--mode", "standard", "--timeout", "0.05", "--output", str(tmp_path)))

    record = json.loads((tmp_path / "ci.json").read_text())
    assert [(step["name"], step["outcome"]) for step in record["steps"]] == [
        ("parity", "fail"), ("properties", "pass"), ("sweep", "timeout"), ("compare", "not run"), ("gate", "insufficient"),
    ]  # fmt: skip
    assert status == record["status"] == Status.FAIL
    assert "decided" in capsys.readouterr().out
    assert "| sweep | timeout |" in (tmp_path / "ci.md").read_text()


def test_the_results_of_an_earlier_run_are_no_evidence_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setattr(ci, "steps_of", lambda _given: [step_of(tmp_path, "", name="parity")])
    (tmp_path / "parity.json").write_text("of an earlier run")
    (tmp_path / "deployment.env").write_text("WORKFORCE_PARITY_DECISION=go\n")

    ci.run(options("--mode", "quick", "--output", str(tmp_path)))

    assert not (tmp_path / "parity.json").exists() and not (tmp_path / "deployment.env").exists()
    (kept,) = (tmp_path / "earlier").iterdir()
    assert (kept / "parity.json").read_text() == "of an earlier run"


STEPS: tuple[StepName, ...] = ("parity", "properties", "sweep", "compare", "gate")


@pytest.mark.parametrize(
    ("mode", "outcomes", "status"),
    [
        ("standard", "pass pass pass pass pass", Status.PASS),
        ("standard", "pass pass pass pass insufficient", Status.INSUFFICIENT),
        ("standard", "pass pass insufficient pass pass", Status.INSUFFICIENT),
        ("standard", "pass error pass pass pass", Status.INSUFFICIENT),
        ("standard", "usage pass pass pass insufficient", Status.USAGE),
        ("standard", "pass pass timeout not_run insufficient", Status.TIMEOUT),
        ("standard", "pass pass pass not_run insufficient", Status.TIMEOUT),
        ("standard", "fail pass timeout not_run insufficient", Status.FAIL),
        ("quick", "pass pass insufficient pass insufficient", Status.PASS),
        ("quick", "insufficient pass insufficient pass insufficient", Status.INSUFFICIENT),
        ("quick", "pass pass error pass insufficient", Status.INSUFFICIENT),
        ("quick", "pass pass insufficient pass fail", Status.FAIL),
        ("quick", "pass fail insufficient pass insufficient", Status.FAIL),
    ],
)
def test_the_status_of_all_steps(mode: ModeName, outcomes: str, status: Status) -> None:
    found: list[Outcome] = [one.replace("_", " ") for one in outcomes.split()]  # type: ignore[misc]
    results = [StepResult(name, outcome, 1.0) for name, outcome in zip(STEPS, found, strict=True)]

    assert overall(mode, results) == status


def test_readiness_is_not_the_exit_of_two_programs_but_the_gates_decision() -> None:
    both = [
        StepResult("parity", "pass", 1.0),
        StepResult("sweep", "pass", 1.0),
        StepResult("gate", "insufficient", 1.0),
    ]

    assert overall("standard", both) == Status.INSUFFICIENT


@pytest.mark.parametrize(("name", "status", "outcome"), [
    ("parity", 2, "insufficient"), ("parity", 5, "insufficient"), ("parity", 3, "error"), ("sweep", 2, "timeout"),
    ("sweep", -11, "error"), ("gate", 130, "interrupted"),
])  # fmt: skip
def test_exit_statuses_are_those_of_the_program(name: StepName, status: int, outcome: str) -> None:
    assert outcome_of(name, status) == outcome


@pytest.mark.parametrize("mode", MODES)
def test_every_step_is_a_command_that_its_program_takes(mode: ModeName, tmp_path: Path) -> None:
    from scale.ci.testing import check_command

    steps = steps_of(Given(mode, tmp_path, ("sql", "polars"), base=tmp_path))

    assert [step.name for step in steps] == list(STEPS)
    for step in steps:
        check_command(["python", *step.arguments])
    first = steps_of(Given(mode, tmp_path, first_release=True))
    assert "--first-release" in first[-1].arguments and "compare" not in [step.name for step in first]


def test_wrong_usage_is_said_before_anything_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from scale.status import UsageError

    with pytest.raises(UsageError, match="is it a checkout"):
        ci.run(options("--mode", "quick", "--base-checkout", str(tmp_path), "--output", str(tmp_path)))
    for wrong in (["--mode", "fast"], ["--mode", "quick", "--timeout", "0"], []):
        with pytest.raises(SystemExit):
            options(*wrong)
    assert "expected minutes above 0" in capsys.readouterr().err
