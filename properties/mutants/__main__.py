"""Automatic mutants: run a sample of them, or list them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from properties.mutants.campaign import Campaign, CampaignError, run_campaign
from properties.mutants.catalogue import SAMPLE, SEED, all_mutants, sample
from properties.mutants.equivalent import EquivalentError
from properties.mutants.mutant import Mutant


def main() -> int:
    """Exit status 0: every mutant that is not equivalent was killed; 1: some survived; 2: it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m properties.mutants", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run mutants until the first check notices each")
    show = commands.add_parser("list", help="print mutants with file, line and change")
    for command in (run, show):
        command.add_argument("--sample", type=int, default=SAMPLE, metavar="N", help=f"how many (default {SAMPLE})")
        command.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"of the sample (default {SEED})")
        command.add_argument("--only", action="append", metavar="ID", help="these mutants alone, such as SQL_0123")
    run.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default 2)")
    run.add_argument(
        "--output", type=Path, metavar="FILE.json", help="keep outcomes here, and go on from what is in it"
    )
    run.add_argument("--also-equivalent", action="store_true", help="run those listed as equivalent, too")
    arguments = parser.parse_args()
    if arguments.sample < 1 or getattr(arguments, "workers", 1) < 1:
        parser.error("--sample and --workers are numbers of at least 1")
    chosen = _chosen(parser, arguments)
    if arguments.command == "list":
        sys.stdout.write("".join(f"{mutant.describe()}\n" for mutant in chosen))
        return 0
    return _run(chosen, arguments)


def _chosen(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[Mutant]:
    if not arguments.only:
        return sample(arguments.sample, arguments.seed)
    unknown = sorted(set(arguments.only) - set(all_mutants()))
    if unknown:
        parser.error(f"no mutant {', '.join(unknown)}; `python -m properties.mutants list` names them")
    return [all_mutants()[name] for name in dict.fromkeys(arguments.only)]


def _run(chosen: list[Mutant], arguments: argparse.Namespace) -> int:
    try:
        campaign = Campaign.at(arguments.output)
        run_campaign(
            chosen,
            campaign,
            workers=arguments.workers,
            also_equivalent=arguments.also_equivalent,
            progress=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except (CampaignError, EquivalentError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run it again with the same --output to go on\n")
        return 2
    sys.stdout.write(campaign.text())
    return 1 if campaign.counts["survived"] or campaign.counts["trouble"] else 0


if __name__ == "__main__":
    sys.exit(main())
