"""Starting a process under a row of settings, and its answer."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from differential.run import Run
from differential.variant import LEGACY_FLAG
from differential.workers import ROOT
from fixtures.world import World
from properties.environment.clock import SHIFT_SECONDS, SHIFT_VARIABLE, shim
from properties.environment.locales import BASE as BASE_LOCALE
from properties.environment.locales import locales
from properties.environment.probe import ANSWER, ASKED, JOB
from properties.environment.settings import BASE, Row

DEFAULT_TIMEOUT = 600.0
PROBE = Path(__file__).with_name("probe.py")
"""Started by path, not by name: its package need not be imported before a child is started."""
_LINES_SHOWN = 6


@dataclass(frozen=True)
class Answer:
    """run: the result, or error: what the engine raised or how the process ended. facts: empty where it did not get that far."""

    run: Run | None
    error: str | None
    facts: dict[str, Any]


def launch(engine: str, worlds: Sequence[World], row: Row, timeout: float | None = None) -> Answer:
    """Run the worlds in a new process under the base with the settings of `row`."""
    asked: dict[str, Any] = {**BASE, **row}
    with tempfile.TemporaryDirectory(prefix="parity-environment-") as folder:
        elsewhere = asked["folder"] == "elsewhere"
        where = Path(folder).resolve() if elsewhere else ROOT
        asked |= {
            "engine": engine,
            "now": time.time(),
            "folder": str(where),
            "python clock": asked["clock"] != BASE["clock"] and shim() is None,
        }
        (Path(folder) / JOB).write_bytes(pickle.dumps(list(worlds), protocol=5))
        (Path(folder) / ASKED).write_text(json.dumps(asked), encoding="utf-8")
        optimise = [] if asked["optimisation"] == BASE["optimisation"] else ["-O"]
        command = [sys.executable, "-P", *optimise, str(PROBE), folder]
        return _answer(command, _variables(asked), where, Path(folder), timeout or DEFAULT_TIMEOUT)


def _answer(command: list[str], variables: dict[str, str], where: Path, folder: Path, timeout: float) -> Answer:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env=variables, cwd=where, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)  # a session of its own: the children of a start method end with it
            process.wait()
            return Answer(None, f"no result in {timeout:g} s", {})
        written = folder / ANSWER
        if status == 0 and written.exists():
            return Answer(**pickle.loads(written.read_bytes()))
        log.seek(0)
        lines = log.read()[-4000:].decode(errors="replace").strip().splitlines()[-_LINES_SHOWN:]
        return Answer(None, "\n".join([f"the process ended with status {status}", *lines]), {})


def _variables(asked: dict[str, Any]) -> dict[str, str]:
    """This process's variables, less those that a setting is about, with what the settings need."""
    dropped = ("LC_", "PYTHONHASHSEED", "PYTHONUTF8", "PYTHONOPTIMIZE", "PYTHONCOERCECLOCALE", "LANG", LEGACY_FLAG)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    search_path = os.pathsep.join([str(ROOT), *(entry or str(Path.cwd()) for entry in sys.path)])
    named = {locale.name: locale.variables for locale in locales()}
    variables = {
        **kept,
        "PYTHONPATH": search_path,
        "TZ": asked["time zone"],
        "PYTHONHASHSEED": asked["hash seed"],
        "POLARS_MAX_THREADS": asked["threads"],
        "OMP_NUM_THREADS": asked["threads"],
        **named.get(asked["locale"], {"LC_ALL": BASE_LOCALE}),
    }
    library = shim()
    if asked["clock"] != BASE["clock"] and library is not None:
        variables |= {"LD_PRELOAD": str(library), SHIFT_VARIABLE: str(SHIFT_SECONDS)}
    return variables
