"""The process under another environment: `python -P probe.py FOLDER` runs what FOLDER/job.pickle says.

The first process imports little, so that one it starts by fork, spawn or forkserver costs what a plain one does.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from pathlib import Path
from typing import Any

JOB, ASKED, ANSWER = "job.pickle", "asked.json", "answer.pickle"
SHUFFLE_SEED = 4711

_in_first_process = False  # set by main(): a forked child still sees it set, a spawned one does not


def main(folder: str) -> int:
    """Do the job here, or in a child of the start method asked for; the exit status is the child's."""
    global _in_first_process
    asked = json.loads((Path(folder) / ASKED).read_text(encoding="utf-8"))
    method = asked["start method"]
    if method == "exec":
        do_job(folder)
        return 0
    import multiprocessing

    if method == "fork":  # what a pool of workers does: the engine is imported, then the process forks
        from differential.engines import get_engine

        get_engine(asked["engine"])
    _in_first_process = True
    child = multiprocessing.get_context(method).Process(target=do_job, args=(folder,))
    child.start()
    child.join()
    return 0 if child.exitcode == 0 else 1


def do_job(folder: str) -> None:
    """Run the worlds and leave the run, or what was raised, with the facts of this process."""
    import locale

    asked = json.loads((Path(folder) / ASKED).read_text(encoding="utf-8"))
    locale.setlocale(locale.LC_ALL, "")
    job = pickle.loads((Path(folder) / JOB).read_bytes())
    if asked["python clock"]:
        from properties.environment.clock import SHIFT_SECONDS, move_python_clock

        move_python_clock(SHIFT_SECONDS)
    try:
        run, error = _run(asked, job), None
    except Exception as raised:  # noqa: BLE001 - it is the result
        run, error = None, f"{type(raised).__name__}: {raised}"
    answer = {"run": run, "error": error, "facts": _facts(asked, run)}
    (Path(folder) / ANSWER).write_bytes(pickle.dumps(answer, protocol=5))


def _run(asked: dict[str, Any], worlds: Any) -> Any:
    from differential.side import run_many
    from differential.variant import Variant

    reordered = [in_order(world, asked["row order"]) for world in worlds]
    return run_many(asked["engine"], reordered, Variant(threads=int(asked["threads"])))


def in_order(world: Any, order: str) -> Any:
    """The world with its census rows in another order."""
    import random
    from dataclasses import replace

    positions = list(range(len(world.census)))
    if order == "reversed":
        positions.reverse()
    elif order == "shuffled":
        random.Random(SHUFFLE_SEED).shuffle(positions)
    return replace(world, census=world.census.take(positions))


def _facts(asked: dict[str, Any], run: Any) -> dict[str, Any]:
    """What this process sees of its environment, read back from where code would read it."""
    import locale

    proof = None if run is None else run.proof
    return {
        "pid": os.getpid(),
        "utc offset": time.localtime(time.time()).tm_gmtoff,
        "locale": locale.setlocale(locale.LC_ALL),
        "encoding": locale.nl_langinfo(locale.CODESET),
        "years back": _years_back(asked["now"]),
        "clock of libraries": _library_clock(asked["now"]),
        "hash": hash("workforce"),
        "threads": None if proof is None else proof.threads,
        "row order": asked["row order"],
        "start method": _start_method(),
        "folder": str(Path.cwd()),
        "folder asked": asked["folder"],
        "optimisation": sys.flags.optimize,
    }


def _years_back(now: float) -> int:
    import datetime as dt

    days = (dt.datetime.fromtimestamp(now, tz=dt.UTC).date() - dt.date.today()).days  # noqa: DTZ011 - as code reads it
    return round(days / 366)


def _library_clock(now: float) -> int:
    """Years back by DuckDB's clock, which is libc's and not Python's."""
    import duckdb

    seconds = float(duckdb.connect().execute("SELECT epoch(now()::TIMESTAMP)").fetchall()[0][0])
    return round((now - seconds) / (366 * 86_400))


def _start_method() -> str:
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is None:
        return "exec"
    if _in_first_process:
        return "fork"
    return "spawn" if os.getppid() == parent.pid else "forkserver"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
