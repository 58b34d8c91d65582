"""Two stored sweeps side by side. Advisory: no statistic mends a comparison over time or across machines."""

from __future__ import annotations

import argparse
import sys
from statistics import median

from scale.policy import Policy
from scale.records import Cell, Sweep, read_record
from scale.status import Status, UsageError
from scale.sweep.measured import counted, seconds


def stored_command(arguments: argparse.Namespace) -> Status:
    """Print the ratios. Status 0 where nothing looks slower, 3 where something does: measure it live then."""
    if not (arguments.baseline and arguments.candidate):
        raise UsageError("--baseline A.json and --candidate B.json belong together")
    if arguments.base_checkout or arguments.base_engine:
        raise UsageError("stored files and a live comparison exclude each other: leave --baseline and --candidate out")
    baseline, candidate = read_record(arguments.baseline, Sweep), read_record(arguments.candidate, Sweep)
    limit = Policy.load(arguments.policy).regression.median_difference_above
    ratios = stored_ratios(baseline, candidate)
    if not ratios:
        raise UsageError(f"{arguments.baseline} and {arguments.candidate} have no finished cell in common")
    same = baseline.machine.fingerprint == candidate.machine.fingerprint
    lines = [
        "advisory: stored times of one machine at two points in time"
        if same
        else "advisory: times of two machines: a trend, no comparison"
    ]
    lines += [
        f"  {cell.key}: {ratio - 1:+.1%} ({before:.2f} s, {after:.2f} s)"
        for cell, (before, after, ratio) in ratios.items()
    ]
    slower = [cell.key for cell, (_, _, ratio) in ratios.items() if ratio - 1 > limit]
    if slower:
        lines.append(
            f"{len(slower)} of {len(ratios)} cells look slower by more than {limit:.0%}: compare live, with --base-checkout DIR"
        )
    else:
        lines.append(f"{len(ratios)} cells, none slower by more than {limit:.0%}; this passes nothing")
    sys.stdout.write("\n".join(lines) + "\n")
    return Status.INSUFFICIENT if slower else Status.PASS


def stored_ratios(baseline: Sweep, candidate: Sweep) -> dict[Cell, tuple[float, float, float]]:
    """Medians before and after and their ratio, by cell that both have."""
    before, after = (
        {cell: median(seconds(runs)) for cell, runs in counted(sweep).items()} for sweep in (baseline, candidate)
    )
    return {cell: (before[cell], after[cell], after[cell] / before[cell]) for cell in before if cell in after}
