"""Parity, properties, sweep, comparison and gate in one go, each as a process of its own, within a time limit that holds."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scale.ci.modes import MODES, WRITTEN, Given, Step, steps_of
from scale.ci.report import overall, record_of, summary_lines, write_summary
from scale.ci.steps import StepResult, run_step
from scale.gate.outputs import DECISION, FILES, move_aside
from scale.gate.record import Decision
from scale.log import now
from scale.records import read_record
from scale.signals import terminated_as_interrupted
from scale.status import Status, UsageError

GATE_SECONDS = 60.0
"""The gate may take so long after the time is over: it only reads, and without it nothing would say no-go."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m scale ci`."""
    modes = "; ".join(f"{name}: {mode.purpose}" for name, mode in MODES.items())
    add = parser.add_argument
    add("--mode", choices=list(MODES), required=True, help=modes)
    add(
        "--timeout",
        type=_minutes,
        metavar="MIN",
        help="minutes for all steps; the one that is running is ended (default: by mode)",
    )
    add(
        "--output",
        type=Path,
        metavar="DIR",
        default=Path("ci-results"),
        help="reports, logs and decision (default: ci-results)",
    )
    add(
        "--engine",
        action="append",
        default=[],
        metavar="SPEC",
        help="as in pytest differential; repeat for more (default: sql polars)",
    )
    add("--full", action="store_true", help="sweep every scenario, the matrix and a million employees included")
    base = parser.add_mutually_exclusive_group()
    base.add_argument(
        "--base-checkout", type=Path, metavar="DIR", help="a checkout of the last release to compare with"
    )
    base.add_argument("--first-release", action="store_true", help="there is no release to compare with")
    add("--policy", type=Path, metavar="FILE", help="thresholds that differ from scale/policy.yaml")


def run(arguments: argparse.Namespace) -> Status:
    """Run the steps of the mode, write the summary, and say how it ended. Raises UsageError before anything runs."""
    base = arguments.base_checkout
    if base is not None and not (base / "differential").is_dir():
        raise UsageError(f"--base-checkout {base}: no folder differential/ there: is it a checkout of this project?")
    if arguments.full and arguments.mode == "quick":
        raise UsageError("--full sweeps every scenario and mode quick two of them; take another mode")
    output = arguments.output.resolve()
    given = Given(
        arguments.mode, output, tuple(arguments.engine), base, arguments.first_release, arguments.policy, arguments.full
    )
    minutes = MODES[given.mode].timeout if arguments.timeout is None else arguments.timeout
    earlier = move_aside(output, (*FILES, *WRITTEN))
    if earlier is not None:
        _say(f"the results of an earlier run were moved to {earlier}")
    started, steps, results = now(), steps_of(given), list[StepResult]()
    interrupted = False
    with terminated_as_interrupted():
        try:
            _run_all(steps, time.monotonic() + 60 * minutes, results)
        except KeyboardInterrupt:
            interrupted = True
    results += [StepResult(step.name, "not run", 0.0) for step in steps[len(results) :]]
    decision = read_record(output / DECISION, Decision) if (output / DECISION).exists() else None
    status = overall(given.mode, results, interrupted=interrupted)
    logs = {step.name: step.log for step in steps}
    record = record_of(given.mode, started, minutes, results, logs, output, decision, status)
    write_summary(record, output)
    _say(*summary_lines(record), f"  in {output}")
    return status


def _run_all(steps: Sequence[Step], until: float, results: list[StepResult]) -> None:
    """Every step, also after one that fails; once the time is over only the gate."""
    for step in steps:
        limit = max(until, time.monotonic() + GATE_SECONDS) if step.name == "gate" else until
        _say(f"--- {step.name}: {' '.join(step.command[1:])}")
        begun = time.monotonic()
        try:
            results.append(run_step(step, limit))
        except KeyboardInterrupt:
            results.append(StepResult(step.name, "interrupted", time.monotonic() - begun))
            raise
        _say(f"--- {step.name}: {results[-1].outcome}, {results[-1].seconds:.1f} s")


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 60 * 24 * 7:
        raise argparse.ArgumentTypeError(f"expected minutes above 0, got {text!r}")
    return value
