"""`python -m scale`: what a simulation costs, whether a change made it slower, and whether a release may go out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

# before anything imports them: this process only watches, and must not compete with what it measures
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from scale.commands import COMMANDS
from scale.status import Status, UsageError

_EPILOG = "exit statuses: 0 pass, 1 fail, 2 timeout, 3 insufficient or inconclusive, 4 usage, 130 interrupted"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    parser = _Parser(prog="python -m scale", description=__doc__, epilog=_EPILOG)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    words = sys.argv[1:] if arguments is None else list(arguments)
    for name, command in COMMANDS.items():
        sub = subparsers.add_parser(name, help=command.help, description=command.help, epilog=_EPILOG)
        if words[:1] == [name]:
            command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    asked = parser.parse_args(words)
    run: Callable[[argparse.Namespace], Status] = asked.run
    try:
        return int(run(asked))
    except UsageError as error:
        sys.stderr.write(f"python -m scale: {error}\n")
        return int(Status.USAGE)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return int(Status.INTERRUPTED)


class _Parser(argparse.ArgumentParser):
    """argparse ends with 2 on wrong usage, which is a timeout here."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        self.exit(int(Status.USAGE), f"{self.prog}: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
