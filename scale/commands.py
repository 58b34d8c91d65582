"""The commands of `python -m scale`: what each takes and does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scale import ci, gate
from scale.compare import options as compare_options
from scale.compare.command import run_compare_command
from scale.options import add_sweep_options, sweep_request
from scale.reports import sweep_text, write_sweep_report
from scale.rollback import command as rollback_command
from scale.rollback import options as rollback_options
from scale.status import Status, status_of
from scale.sweep.run import run_sweep
from scale.sweep.state import RESULTS, read_sweep


@dataclass(frozen=True)
class Command:
    """help: one line. add_arguments: its options. run: does it and says how it ended; raises UsageError, KeyboardInterrupt."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Status]


def sweep(arguments: argparse.Namespace) -> Status:
    """Measure, judge, and write the reports, also of what was measured until an interruption."""
    request = sweep_request(arguments)
    try:
        run_sweep(request)
    except KeyboardInterrupt:
        done = read_sweep(request.output)
        write_sweep_report(done, request.output, request.policy)
        counted = sum(not run.warm_up for run in done.runs)
        sys.stderr.write(f"interrupted; {counted} finished runs are kept. Go on with: {request.command}\n")
        return Status.INTERRUPTED
    done = read_sweep(request.output)
    write_sweep_report(done, request.output, request.policy)
    show(sweep_text(done))
    show([f"report: {request.output / 'report.html'}   data: {request.output / RESULTS}"])
    return status_of(done.verdict)


def show(lines: Sequence[str]) -> None:
    """Print lines to standard output."""
    sys.stdout.write("\n".join(lines) + "\n")


COMMANDS: dict[str, Command] = {
    "sweep": Command(
        "measure time and memory over a matrix of cells, and judge how they grow", add_sweep_options, sweep
    ),
    "compare": Command(
        "base and candidate on this machine, in turn: slower or not", compare_options.add_options, run_compare_command
    ),
    "gate": Command("hold the evidence to the release criteria: go or no-go", gate.add_arguments, gate.run),
    "rollback": Command(
        "rehearse going back to an earlier release: validate, execute, restore",
        rollback_options.add_arguments,
        rollback_command.run,
    ),
    "ci": Command("parity, properties, sweep and gate in one go", ci.add_arguments, ci.run),
}
