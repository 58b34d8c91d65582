"""`python -m scale sweep`: measure, judge, and write the reports."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from scale.options import sweep_request
from scale.reports import sweep_text, write_sweep_report
from scale.status import Status, status_of
from scale.sweep.request import SweepRequest
from scale.sweep.run import run_sweep
from scale.sweep.state import RESULTS, read_sweep


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
