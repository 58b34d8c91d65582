"""`python -m differential`: tools beside the tests. The comparison itself is `pytest differential`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

# one thread for this process: Polars fixes its pool on import, and runs with other counts get a process of their own
os.environ.setdefault("POLARS_MAX_THREADS", "1")

PASSES, FAILS, USAGE, INTERRUPTED = 0, 1, 4, 130
_EPILOG = "exit statuses: 0 it can be compared, 1 something is missing or wrong, 4 no such engine, 130 interrupted"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    parser = _Parser(prog="python -m differential", description=__doc__, epilog=_EPILOG)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    about = "tell the author of an engine what is there and what is missing"
    check = commands.add_parser("check-engine", help=about, description=about, epilog=_EPILOG)
    check.add_argument(
        "spec", metavar="SPEC", help="as in --engine: NAME, MODULE:ATTRIBUTE, either @PYTHON, or command:PROGRAM"
    )
    check.add_argument("--engine-timeout", type=float, metavar="SECONDS", help="longest run (default: 600)")
    asked = parser.parse_args(arguments)
    try:
        return _check(asked.spec, asked.engine_timeout)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED


def _check(spec: str, timeout: float | None) -> int:
    from differential.checking import Step, check_engine, passed, step_lines, summary_lines
    from differential.engines import EngineSpecError, settled

    steps: list[Step] = []
    try:
        for step in check_engine(settled(spec), timeout):
            steps.append(step)
            _show(step_lines(step, color=sys.stdout.isatty()))
    except EngineSpecError as error:
        sys.stderr.write(f"python -m differential check-engine: {error}\n")
        return USAGE
    _show(summary_lines(spec, steps))
    return PASSES if passed(steps) else FAILS


def _show(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


class _Parser(argparse.ArgumentParser):
    """argparse ends with 2 on wrong usage."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
