"""`python -m scale compare`: live, from stored files (advisory), or over a history."""

from __future__ import annotations

import argparse
import os
import sys

from differential.session import ROOT
from scale.compare.history import history_command
from scale.compare.judge import compared_cell, judge
from scale.compare.live import Comparer
from scale.compare.options import compare_request
from scale.compare.request import RESULT, CompareRequest, one_code
from scale.compare.stored import stored_command
from scale.log import Log, new_run_id, now
from scale.measuring import commit_of, machine
from scale.records import Code, ComparedCell, Comparison, write_record
from scale.reports import comparison_text, write_comparison_report
from scale.status import Status, UsageError, Verdict, gravest, status_of
from scale.sweep.progress import telling
from scale.sweep.run import OutOfTimeError


def run_compare_command(arguments: argparse.Namespace) -> Status:
    """Whichever of the three was asked for."""
    if arguments.cluster is not None and (arguments.history or arguments.baseline or arguments.candidate):
        raise UsageError("--cluster measures live, and stored files are read here: leave --cluster out with them")
    if arguments.history:
        return history_command(arguments)
    if arguments.baseline or arguments.candidate:
        return stored_command(arguments)
    request = compare_request(arguments)
    if arguments.cluster is not None:
        return compare_on_hosts(request, arguments)
    comparison, interrupted = run_comparison(request)
    _show(comparison, request)
    return Status.INTERRUPTED if interrupted else status_of(comparison.verdict)


def compare_on_hosts(request: CompareRequest, arguments: argparse.Namespace) -> Status:
    """The same on a host of a cluster. Without its whole result nothing is written."""
    from scale.compare.acceptance import NotMeasuredError
    from scale.compare.hosts import compare_on_cluster

    try:
        comparison = compare_on_cluster(
            request, arguments.cluster, arguments.policy, lambda line: print(line, file=sys.stderr)
        )
    except NotMeasuredError as error:
        sys.stdout.write(f"Comparison: {error.verdict}: {error}. Nothing was written\n")
        return status_of(error.verdict)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing runs on, and nothing was written. The same command begins again\n")
        return Status.INTERRUPTED
    _show(comparison, request)
    return status_of(comparison.verdict)


def _show(comparison: Comparison, request: CompareRequest) -> None:
    write_comparison_report(comparison, request.output, request.policy)
    _annotate(comparison)
    sys.stdout.write("\n".join([*comparison_text(comparison), f"data: {request.output / RESULT}"]) + "\n")


def run_comparison(request: CompareRequest) -> tuple[Comparison, bool]:
    """Take all pairs, judge them and write compare.json; also what was taken until an interruption, and whether there was one."""
    base, candidate = request.check()
    run_id, started = new_run_id(), now()
    log = Log(request.output / "log.jsonl", run_id)
    log.write("begin", command=request.command, base=base, candidate=candidate)
    total = 2 * len({cell.engine for cell in request.cells}) + 2 * request.policy.regression.pairs_initial * len(
        request.cells
    )
    late: Verdict | None = None
    interrupted = False
    with telling(total) as teller:
        comparer = Comparer(request, teller, log)
        try:
            comparer.all()
        except OutOfTimeError:
            late = "timeout"
        except KeyboardInterrupt:
            late, interrupted = "insufficient", True
    cells = [
        compared_cell(cell, comparer.initial[cell], comparer.confirmation.get(cell), request) for cell in request.cells
    ]
    comparison = _record(request, run_id, started, base, candidate, cells, late)
    write_record(request.output / RESULT, comparison)
    log.write("end", verdict=comparison.verdict)
    return comparison, interrupted


def _record(
    request: CompareRequest,
    run_id: str,
    started: str,
    base: Code,
    candidate: Code,
    cells: list[ComparedCell],
    late: Verdict | None,
) -> Comparison:
    mean, checks = judge(cells, request)
    same = one_code(base, candidate)
    verdicts = [check.verdict for check in checks] + ([late] if late else []) + (["insufficient"] if same else [])
    return Comparison(
        run_id=run_id,
        started=started,
        finished=now(),
        command=request.command,
        commit=commit_of(ROOT),
        base=base,
        candidate=candidate,
        machine=machine(),
        policy=request.policy.fingerprint,
        advisory=same,
        cells=cells,
        geometric_mean=mean,
        checks=checks,
        verdict=gravest(verdicts),
    )


def _annotate(comparison: Comparison) -> None:
    """A line on a change for each slower cell, where the CI shows such lines."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for one in comparison.cells:
        if one.verdict in ("slower", "failed"):
            sys.stdout.write(f"::warning title=Scale::{one.cell.key} is {one.verdict}: {' '.join(one.note.split())}\n")
