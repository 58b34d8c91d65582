"""`python -m scale nightly`, and `nightly merge`."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from scale.nightly.campaign import run_campaign
from scale.nightly.night import status_of_night
from scale.nightly.options import add_campaign_options, add_merge_options, campaign_request, workers_of
from scale.nightly.records import Night
from scale.nightly.report import summary_text
from scale.nightly.slices import merge_slices
from scale.signals import terminated_as_interrupted
from scale.status import Status


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of both."""
    add_campaign_options(parser)
    merge = parser.add_subparsers(metavar="[merge]", required=False).add_parser(
        "merge", help="make one night and one corpus of the slices of a campaign"
    )
    add_merge_options(merge)


def run_nightly(arguments: argparse.Namespace) -> Status:
    """Run a campaign, or merge slices; prints the summary and says how it ended. Raises UsageError."""
    if getattr(arguments, "folders", None):
        command = shlex.join(["python", "-m", "scale", *sys.argv[1:]])
        night = merge_slices(arguments.folders, arguments.corpus, arguments.output, command, _say)
    else:
        request = campaign_request(arguments)
        with terminated_as_interrupted(), workers_of(arguments) as workers:
            night = run_campaign(request, workers, _say)
        if night.status == "interrupted":
            _say(f"go on with: {request.command}")
    _show(night, arguments.output, arguments.corpus)
    return status_of_night(night)


def _show(night: Night, output: Path, corpus: Path) -> None:
    sys.stdout.write("\n".join([*summary_text(night, corpus), f"summary: {output / 'summary.html'}"]) + "\n")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
