"""The release gate: six criteria over the evidence of one commit, and go or no-go."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from differential.session import ROOT
from scale.gate.candidate import candidate_of
from scale.gate.decide import decide
from scale.gate.evidence import Paths, read_evidence
from scale.gate.outputs import DECISION, exit_status, set_aside, write_decision
from scale.gate.record import Decision
from scale.policy import Policy
from scale.status import Status, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m scale gate`."""
    add = parser.add_argument
    add("--parity", type=Path, metavar="FILE", help="parity.json of `pytest differential --parity-report parity.json`")
    add(
        "--properties",
        type=Path,
        metavar="FILE",
        help="properties.json of `pytest properties --properties-report properties.json`",
    )
    add("--sweep", type=Path, metavar="FILE", help="results.json of `python -m scale sweep`")
    add("--compare", type=Path, metavar="FILE", help="compare.json of `python -m scale compare --base-checkout DIR`")
    add(
        "--first-release",
        action="store_true",
        help="there is no release to compare with; in place of --compare, and recorded",
    )
    add("--rollback", type=Path, metavar="FILE", help="rollback.json of the last drill; shown, never decides")
    add("--policy", type=Path, metavar="FILE", help="thresholds that differ from scale/policy.yaml")
    add(
        "--output",
        type=Path,
        metavar="DIR",
        default=Path("gate-results"),
        help="where the decision is written (default: gate-results)",
    )


def run(arguments: argparse.Namespace) -> Status:
    """Decide, write the decision and print it. Raises UsageError for options that exclude each other and folders not writable."""
    earlier = set_aside(arguments.output)
    if arguments.compare is not None and arguments.first_release:
        raise UsageError("--compare and --first-release: give one of them; a first release has nothing to compare with")
    policy = Policy.load(arguments.policy)
    paths = Paths(arguments.parity, arguments.properties, arguments.sweep, arguments.compare, arguments.rollback)
    evidence = read_evidence(paths)
    for message in evidence.unreadable.values():
        sys.stderr.write(f"python -m scale gate: {message}\n")
    candidate = candidate_of(evidence.engines, ROOT)
    decision = decide(evidence, candidate, policy, first_release=arguments.first_release)
    write_decision(decision, arguments.output)
    sys.stdout.write("\n".join(decision_lines(decision)) + "\n")
    if earlier is not None:
        sys.stdout.write(f"an earlier decision was moved to {earlier}\n")
    sys.stdout.write(f"written to {arguments.output / DECISION}\n")
    return exit_status(decision)


def decision_lines(decision: Decision) -> list[str]:
    """For the terminal: the decision, a line a criterion, and under each that does not pass what is against it and what to do."""
    lines = [f"release gate: {decision.decision} for {decision.commit or 'no known commit'}", ""]
    for one in decision.criteria:
        lines.append(f"  {one.title:<40} {one.verdict}")
        shown = one.objections[:_SHOWN]
        lines += [f"      {found.verdict}: {found.text}" for found in shown]
        if len(one.objections) > len(shown):
            lines.append(f"      and {len(one.objections) - len(shown)} more, in {DECISION}")
        lines += [f"      > {advice}" for advice in one.recommendations[:_SHOWN]]
    return [*lines, "", *(f"  beside: {found.text}" for found in decision.beside), ""]


_SHOWN = 8
