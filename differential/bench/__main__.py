"""Runs the measurements and prints one table: what was measured, the figure, the bound, and whether it holds.

Times are medians of several runs taken in turn in one session; on a shared machine the ratios say more than the seconds.
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ.setdefault("POLARS_MAX_THREADS", "1")

from differential.bench import comparing, engines, suite
from differential.bench.figures import Figure, table

MEASUREMENTS = {
    "worlds": engines.many_worlds,
    "alone": engines.one_world,
    "large": engines.large,
    "switches": engines.switches,
    "comparison": comparing.tables,
    "profiles": suite.profiles,
    "faults": suite.faults,
}


def main() -> int:
    """Measure what was named, or everything; exit status 1 when a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m differential.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(MEASUREMENTS)} (default: all)"
    )
    names = parser.parse_args().names or list(MEASUREMENTS)
    unknown = sorted(set(names) - set(MEASUREMENTS))
    if unknown:
        parser.error(f"unknown measurement {', '.join(unknown)}; expected {', '.join(MEASUREMENTS)}")
    figures: list[Figure] = []
    for name in names:
        sys.stderr.write(f"measuring {name} ...\n")
        figures += MEASUREMENTS[name]()
    sys.stdout.write(table(figures))
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
