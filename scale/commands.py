"""The commands of `python -m scale`: what each takes and does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scale import ci, gate
from scale.compare import options as compare_options
from scale.compare.command import run_compare_command
from scale.nightly import command as nightly_command
from scale.options import add_sweep_options, sweep_request
from scale.reports import sweep_text, write_sweep_report
from scale.rollback import command as rollback_command
from scale.rollback import options as rollback_options
from scale.status import Status, status_of
from scale.sweep.request import SweepRequest
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
    if arguments.cluster is not None:
        return sweep_on_cluster(request, arguments)
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


def sweep_on_cluster(request: SweepRequest, arguments: argparse.Namespace) -> Status:
    """The same on the hosts of a cluster, each scenario on one of them."""
    from scale.sweep.hosts import cluster_text, run_on_cluster

    try:
        done = run_on_cluster(request, arguments.cluster, arguments.policy, lambda line: print(line, file=sys.stderr))
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted; measured scenarios are kept. Go on with: {request.command}\n")
        return Status.INTERRUPTED
    show(cluster_text(done, request.output))
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
    "nightly": Command(
        "fuzz for hours, triage what is found, and hand over only news",
        nightly_command.add_options,
        nightly_command.run_nightly,
    ),
    "ci": Command("parity, properties, sweep and gate in one go", ci.add_arguments, ci.run),
}
