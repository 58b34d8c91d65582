"""The summary of a run of `python -m scale ci`: ci.json, ci.md, and the step's summary on GitHub."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from scale.ci.modes import MODES, ModeName, StepName
from scale.ci.steps import Outcome, StepResult
from scale.gate.outputs import append_step_summary
from scale.gate.record import Decision
from scale.log import now
from scale.records import Record, write_record
from scale.status import Status


class StepRecord(Record):
    """One step. log: relative to the folder of ci.json."""

    name: StepName
    outcome: Outcome
    seconds: float
    exit_status: int | None
    log: str


class CiRecord(Record):
    """ci.json. status: the exit status. decision: the gate's; None where it was not reached."""

    schema_version: int = 1
    kind: Literal["ci"] = "ci"
    mode: ModeName
    can_go: bool
    started: str
    finished: str
    timeout_minutes: float
    status: int
    steps: list[StepRecord]
    decision: Literal["go", "no-go"] | None


def overall(mode: ModeName, results: list[StepResult], *, interrupted: bool = False) -> Status:
    """The exit status of all steps. A failure wins over everything but an interruption by somebody who is there.

    A mode that cannot yield go passes when nothing fails: its sweep is too small to be judged, and its gate says no-go.
    """
    found = {result.name: result.outcome for result in results}
    outcomes = set(found.values())
    if interrupted or "interrupted" in outcomes:
        return Status.INTERRUPTED
    if "fail" in outcomes:
        return Status.FAIL
    if "timeout" in outcomes or "not run" in outcomes:
        return Status.TIMEOUT
    if "usage" in outcomes:
        return Status.USAGE
    tolerated = () if MODES[mode].can_go else ("sweep", "gate")
    lacking = [name for name, outcome in found.items() if outcome != "pass"]
    if any(name not in tolerated or found[name] != "insufficient" for name in lacking):
        return Status.INSUFFICIENT
    return Status.PASS


def write_summary(record: CiRecord, folder: Path) -> None:
    """ci.json and ci.md, and a table in the step's summary; the gate has written its own there."""
    text = summary_markdown(record)
    (folder / "ci.md").write_text(text, encoding="utf-8")
    write_record(folder / "ci.json", record)
    append_step_summary("\n" + text)


def summary_markdown(record: CiRecord) -> str:
    """A row a step."""
    lines = [
        f"# scale ci, mode {record.mode}: {_WORDS[Status(record.status)]}",
        "",
        f"Decision: {record.decision or 'none was reached'}"
        + (
            "."
            if record.can_go
            else f"; mode {record.mode} is too small for a go, and its status says whether anything failed."
        ),
        "",
        "| step | outcome | seconds | log |",
        "|---|---|---:|---|",
        *(f"| {step.name} | {step.outcome} | {step.seconds:.1f} | {step.log} |" for step in record.steps),
    ]
    return "\n".join(lines) + "\n"


def summary_lines(record: CiRecord) -> list[str]:
    """For the terminal."""
    steps = [f"  {step.name:<12} {step.outcome:<12} {step.seconds:7.1f} s  {step.log}" for step in record.steps]
    decision = f"decision: {record.decision or 'none was reached'}"
    return [f"scale ci, mode {record.mode}: {_WORDS[Status(record.status)]}", *steps, f"  {decision}"]


_WORDS = {
    Status.PASS: "pass",
    Status.FAIL: "fail",
    Status.TIMEOUT: "timeout",
    Status.INSUFFICIENT: "insufficient or inconclusive",
    Status.USAGE: "wrong usage",
    Status.INTERRUPTED: "interrupted",
}


def record_of(
    mode: ModeName, started: str, timeout: float, results: list[StepResult], logs: dict[StepName, Path], folder: Path,
    decision: Decision | None, status: Status,
) -> CiRecord:  # fmt: skip
    """The record of a run that has ended, however it did."""
    steps = [
        StepRecord(
            name=one.name,
            outcome=one.outcome,
            seconds=round(one.seconds, 3),
            exit_status=one.exit_status,
            log=str(logs[one.name].relative_to(folder)),
        )
        for one in results
    ]
    return CiRecord(
        mode=mode, can_go=MODES[mode].can_go, started=started, finished=now(), timeout_minutes=timeout, status=status, steps=steps,
        decision=decision.decision if decision else None,
    )  # fmt: skip
