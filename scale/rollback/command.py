"""`python -m scale rollback`: runs the action that was asked for, and tells how it ended."""

from __future__ import annotations

import argparse
import shlex
import sys
import textwrap

from scale.gate.outputs import move_aside
from scale.options import seconds_of, usable
from scale.records import write_record
from scale.rollback.backup import Backup
from scale.rollback.drill import ENV_FILE, in_words
from scale.rollback.execute import RefusedError, execute
from scale.rollback.locks import is_busy
from scale.rollback.options import ask_for, backup_of, request_of
from scale.rollback.process import Deadline, OutOfTimeError
from scale.rollback.record import STATUS, Check, Result, Rollback, verdict_of
from scale.rollback.recovery import scratch_beside, situation
from scale.rollback.request import Request
from scale.rollback.restore import restore
from scale.rollback.steps import Steps, interruptible
from scale.rollback.validate import validate
from scale.status import Status


def run(arguments: argparse.Namespace) -> Status:
    """Do it. Raises UsageError."""
    action = {"validate": _validate, "execute": _execute, "restore": _restore}[arguments.rollback_action]
    try:
        return action(arguments)
    except RefusedError as error:
        sys.stderr.write(f"python -m scale rollback: refused, nothing was changed: {error}\n")
        return Status.INSUFFICIENT
    except OSError as error:
        sys.stderr.write(f"python -m scale rollback: {in_words(error)}\n")
        return Status.FAIL


def _validate(arguments: argparse.Namespace) -> Status:
    request = request_of(arguments)
    output = usable(arguments.output)
    move_aside(output, ["rollback.json"])
    steps = Steps("validate", Deadline(request.timeout))
    _tell_what_was_left(request, steps)
    result: Result
    with interruptible():
        try:
            result, message = verdict_of(validate(request, steps)), ""
        except OutOfTimeError:
            result, message = "timeout", "no time was left"
        except KeyboardInterrupt:
            result, message = "interrupted", "interrupted"
    record = request.record(steps.finished(result, message))
    write_record(output / "rollback.json", record)
    _show_checks(steps.checks)
    told = {
        "pass": "could go back",
        "fail": "could NOT go back",
        "insufficient": "could NOT be shown to be able to go back",
    }
    _say(f"\nrollback validate: {result}: {told.get(result, message)} to {request.tag}. Nothing was changed.")
    _say(f"written to {output / 'rollback.json'}")
    return STATUS[result]


def _tell_what_was_left(request: Request, steps: Steps) -> None:
    if is_busy(request.repository.notes):
        steps.say("a drill is at work in this repository now")
        return
    found = situation(request.repository, request.database)
    if found.text:
        steps.say(found.text)
        if found.kind == "as before":
            steps.say("what it left besides is removed by the next execute or restore")
    elif left := scratch_beside(request.database):
        steps.say(f"{left[0]} is of a drill of another repository that was interrupted; its restore removes it")


def _execute(arguments: argparse.Namespace) -> Status:
    request, backup = request_of(arguments), backup_of(arguments)
    steps = Steps("execute", Deadline(request.timeout))
    shown = 0

    def confirm() -> None:
        nonlocal shown
        shown = len(steps.checks)
        _show_checks(steps.checks)
        if not arguments.yes:
            ask_for(request.tag, request.database)

    record = execute(request, steps, backup, confirm)
    _show_checks(steps.checks[shown:])
    _say("\n".join(["", *_summary(record), *_where(record, request, backup)]))
    return STATUS[record.result]


def _restore(arguments: argparse.Namespace) -> Status:
    backup = backup_of(arguments)
    steps = Steps("restore", Deadline(seconds_of(arguments)))
    record = restore(backup, steps)
    if record is None:
        return Status.PASS
    action = record.actions[-1]
    end = "everything is as it was before the drill" if action.result == "pass" else action.message
    _say(f"\nrollback restore: {action.result} in {action.seconds:.1f} s: {end}")
    _say(f"the backup stays in {backup.folder}; written to {backup.record}")
    return STATUS[action.result]


def _summary(record: Rollback) -> list[str]:
    action = record.actions[-1]
    lines = [f"  {step.name:<14} {step.seconds:8.2f} s" for step in action.steps]
    late = "" if record.within_target else ": OVER the target"
    lines.append(f"  {'in all':<14} {action.seconds:8.2f} s of {record.target:.0f} s{late}")
    end = "went back" if action.result == "pass" else action.message
    if "\n" not in end:  # what a rebuild printed is shown as it is
        end = textwrap.shorten(end, _LONGEST, placeholder=" ...")
    return [*lines, "", f"rollback execute: {action.result}: {end}"]


_LONGEST = 300
"""Characters of a reason in the last line; all of it is in the checks above and in rollback.json."""


def _where(record: Rollback, request: Request, backup: Backup) -> list[str]:
    """What to do next."""
    at_length = [f"what differs, row by row: {backup.differences}"] if backup.differences.exists() else []
    if "after" not in record.database:
        told = f"written to {backup.record}, the rebuild's output to {backup.log}"
        return [*at_length, told] if record.actions[-1].steps and backup.log.exists() else at_length
    return [
        *at_length,
        f"the database is rebuilt by {request.tag}; its tables compared with before: {record.agreement}",
        f"run from {backup.worktree} with: set -a; . {shlex.quote(str(backup.worktree / ENV_FILE))}; set +a",
        f"go forward again: python -m scale rollback restore --backup {shlex.quote(str(backup.folder))}",
        f"written to {backup.record}",
    ]


def _show_checks(checks: list[Check]) -> None:
    _say("\n".join(f"  {check.name:<14} {check.verdict:<13} {check.text}" for check in checks))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
