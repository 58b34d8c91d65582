"""`python -m scale.power`: live trials of every planted regression, and how often each was found.

Trials are kept in trials.jsonl in the output folder as they end; the same command goes on where it was interrupted. What was timed
is then resampled: pairs and sizes are drawn again from the recorded runs and judged by the same rules.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from scale.options import number, usable
from scale.policy import Policy
from scale.power.resample import resampled
from scale.power.table import table
from scale.power.trials import TRIALS
from scale.status import Status, UsageError


def main() -> int:
    """Run what is missing, then print the table; status 1 where something was missed."""
    parser = argparse.ArgumentParser(prog="python -m scale.power", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(TRIALS)} (default: all)")
    parser.add_argument("--trials", type=number(0), default=20, metavar="N", help="of each (default: 20)")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("power-results"),
        metavar="DIR",
        help="folder for trials.jsonl (default: power-results)",
    )
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(TRIALS))
    if unknown:
        parser.error(f"unknown trial {', '.join(unknown)}; expected {', '.join(TRIALS)}")
    try:
        folder = usable(asked.output)
    except UsageError as error:
        parser.error(str(error))
    policy = Policy.load(None)
    for name in asked.names or list(TRIALS):
        _run(name, int(asked.trials), folder, policy)
    done = read_trials(folder)
    sys.stdout.write(table(done, resampled(done, policy)))
    return int(Status.PASS if all(trial["found"] for trial in done) else Status.FAIL)


def _run(name: str, count: int, folder: Path, policy: Policy) -> None:
    done = sum(trial["name"] == name for trial in read_trials(folder))
    for index in range(done, count):
        started = time.perf_counter()
        outcome = TRIALS[name].run(folder, policy)
        line = {
            "name": name,
            "number": index,
            "found": outcome.found,
            "told": outcome.told,
            "seconds": time.perf_counter() - started,
            "load": os.getloadavg()[0],
            "timings": outcome.timings,
        }
        with (folder / "trials.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        sys.stderr.write(
            f"{name} {index + 1}/{count}: {'as expected' if outcome.found else 'MISSED'}: {outcome.told}\n"
        )


def read_trials(folder: Path) -> list[dict[str, Any]]:
    """The trials of a folder, in order."""
    file = folder / "trials.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


if __name__ == "__main__":
    sys.exit(main())
