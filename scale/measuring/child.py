"""The measured process: `python -P child.py REQUEST.json RESULT.json`, with a socket to the parent whose number the request names.

The code under test may be another checkout of this project, so this file imports nothing but the standard library and, late,
`differential` and `fixtures` from the root that it was given; and it tolerates what an older release does not have.

What is said over the socket, one line each: `ready` (the input is in memory), then for each run `done` (the tables are made),
each answered by the parent with a line before the child goes on. In between nothing but the simulation runs.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import json
import os
import resource
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _SIGKILL = 1, 36, 9
_FOR_PEOPLE = ("EngineSpecError", "VariantError")
_HASH_ORDER = ("employee_id", "simulation_year")


class CannotMeasureError(Exception):
    """What was asked for does not exist; the message is for people."""


class Parent:
    """The other end of the socket. A parent that is gone ends this process."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)

    def tell(self, word: str) -> None:
        """Say something and wait until the parent has seen to it."""
        self._socket.sendall(f"{word}\n".encode())
        if not self._socket.recv(1):
            os._exit(1)


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Do what the request says; returns the result as plain data, failures included."""
    parent = Parent(request["socket"])
    _die_with_parent()
    try:
        return _measure(request, parent)
    except CannotMeasureError as error:
        return {"error": str(error), "memory": False}
    except BaseException as error:  # noqa: BLE001 - whatever an engine raises, SystemExit included, is its result
        if type(error).__name__ in _FOR_PEOPLE:
            return {"error": str(error), "memory": False}
        last = traceback.format_exc().strip().splitlines()[-12:]
        text = "\n".join([f"{type(error).__name__}: {error}".strip(), *(f"  | {line}" for line in last)])
        return {"error": text, "memory": isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__}


def _measure(request: dict[str, Any], parent: Parent) -> dict[str, Any]:
    root = Path(request["root"]).resolve()
    _hold_to(root)
    from differential.engines import get_engine
    from differential.run import capabilities_of
    from fixtures.populations import generate
    from fixtures.scenario import Scenario
    from fixtures.world import World

    cell = request["cell"]
    os.environ["PARITY_NAVIGATOR_CACHE"] = "none"  # a run that is taken from a cache has no time of its own
    engine = get_engine(cell["engine"])
    capabilities = capabilities_of(engine)
    _refuse_what_it_lacks(cell, capabilities)
    scenario = Scenario()
    scenario = scenario.replace(end_year=scenario.start_year + cell["years"] - 1)
    world = World(generate(cell["employees"], cell["seed"], start_year=scenario.start_year), scenario)
    fingerprint = world.fingerprint
    gc.collect()
    reset = _reset_high_water()
    parent.tell(f"ready {json.dumps({'high_water': reset})}")
    for number in range(request["repeats"]):
        database = Path(request["folder"]) / f"run-{number}.duckdb" if getattr(capabilities, "database", True) else None
        variant = _variant(cell, database)
        run, timing = _timed(engine, world, variant)
        if request["repeats"] > 1:
            del run
            if database is not None:
                database.unlink(missing_ok=True)
            _give_back_memory()
        parent.tell(f"done {json.dumps(timing)}")
    if request["repeats"] > 1:
        return {}
    return {
        "timing": timing,
        **_look_at(run, cell, scenario, fingerprint, capabilities, database, request["hash_rows_limit"]),
    }


def _hold_to(root: Path) -> None:
    """Both sides of a comparison must not run one code: what is imported has to come from the root that was named."""
    import differential
    import fixtures

    for package in (differential, fixtures):
        found = Path(str(package.__file__)).resolve()
        if root not in found.parents:
            raise CannotMeasureError(
                f"{package.__name__} was imported from {found.parent}, not from {root}: is that a checkout of this project?"
            )


def _refuse_what_it_lacks(cell: dict[str, Any], capabilities: Any) -> None:
    from differential.variant import parse_level

    levels = getattr(capabilities, "levels", None)
    if levels is not None and cell["level"] not in levels and "+" not in cell["level"]:
        raise CannotMeasureError(f"engine {cell['engine']} has no level {cell['level']!r}; it has {', '.join(levels)}")
    unknown = sorted(parse_level(cell["level"]) - _switches_of(capabilities)) if "+" in cell["level"] else []
    if unknown:
        raise CannotMeasureError(f"engine {cell['engine']} has no switch {', '.join(unknown)}")
    for axis in ("threads", "shards"):
        if cell[axis] > 1 and not getattr(capabilities, axis, True):
            raise CannotMeasureError(
                f"engine {cell['engine']} has no {axis}: a cell with {axis}={cell[axis]} cannot be run"
            )


def _switches_of(capabilities: Any) -> frozenset[str]:
    from differential.variant import SWITCHES

    return frozenset(getattr(capabilities, "switches", SWITCHES))


def _variant(cell: dict[str, Any], database: Path | None) -> Any:
    from differential.variant import Variant

    asked = {name: cell[name] for name in ("level", "threads", "shards")} | {"database": database}
    known = {field.name: field.default for field in dataclasses.fields(Variant)}
    lacking = [f"{name}={value}" for name, value in asked.items() if name not in known and value not in (1, None)]
    if lacking:
        raise CannotMeasureError(f"this release runs without {', '.join(lacking)}: its Variant has no such field")
    return Variant(**{name: value for name, value in asked.items() if name in known})


def _timed(engine: Any, world: Any, variant: Any) -> tuple[Any, dict[str, float]]:
    """One run, with the wall time and the CPU time of this process and the children that it waited for."""
    cpu, wall = _cpu_seconds(), time.perf_counter()
    run = engine.run([world], variant)
    seconds = time.perf_counter() - wall
    return run, {"seconds": seconds, "cpu": _cpu_seconds() - cpu}


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _look_at(
    run: Any,
    cell: dict[str, Any],
    scenario: Any,
    fingerprint: str,
    capabilities: Any,
    database: Path | None,
    most_rows: int,
) -> dict[str, Any]:
    """What the run left, for the parent to judge and to keep."""
    from differential.comparison.canonical import content_hash
    from differential.variant import parse_level

    tables = {"events": run.events, "state": run.state}
    counts = {name: _by_year(table) for name, table in tables.items()}
    small = sum(table.num_rows for table in tables.values()) <= most_rows
    return {
        "years": list(scenario.years),
        "rows": counts,
        "inputs": [fingerprint],
        "switches": sorted(parse_level(cell["level"]) & _switches_of(capabilities)),
        "database_bytes": database.stat().st_size if database is not None and database.exists() else None,
        "wants_database": database is not None,
        "infeasible": [f"{reason.code} in {reason.year}" for reason in dict(run.infeasible).values()],
        "hashes": {name: content_hash(table, _HASH_ORDER) for name, table in tables.items()} if small else {},
        "proof": None if run.proof is None else _proof(run.proof),
    }


def _by_year(table: Any) -> dict[str, int]:
    import pyarrow.compute as pc

    if "simulation_year" not in table.column_names:
        raise CannotMeasureError(
            f"the engine left a table without simulation_year: {', '.join(table.column_names) or 'no columns'}"
        )
    counted = pc.value_counts(table["simulation_year"])
    return {str(pair["values"]): pair["counts"] for pair in counted.to_pylist()}


def _proof(proof: Any) -> dict[str, Any]:
    return {
        "engine": str(getattr(proof, "engine", "")),
        "threads": int(getattr(proof, "threads", 0)),
        "switches": sorted(getattr(proof, "switches", ())),
        "shard_rows": [int(rows) for rows in getattr(proof, "shard_rows", ())],
        "forced_legacy": bool(getattr(proof, "forced_legacy", False)),
        "fallbacks": [str(text) for text in getattr(proof, "fallbacks", ())],
        "versions": {str(name): str(value) for name, value in dict(getattr(proof, "versions", {})).items()},
        "inputs": [str(text) for text in getattr(proof, "inputs", ())],
        "statements": int(getattr(proof, "statements", 0)),
        "stages": {str(name): float(value) for name, value in dict(getattr(proof, "seconds", {})).items()},
        "year_seconds": [float(value) for value in getattr(proof, "year_seconds", ())],
    }


def _reset_high_water() -> bool:
    """Start the kernel's high-water mark of this process afresh; False where the system cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    return "VmHWM:" in status


def _give_back_memory() -> None:
    """What is free goes back to the system, so that what stays in use is what the runs kept."""
    gc.collect()
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is not None:
        pyarrow.default_memory_pool().release_unused()
    _c_library("malloc_trim", 0)


def _die_with_parent() -> None:
    """The kernel ends this process with its parent, and hands it the orphans among its descendants (Linux only)."""
    _c_library("prctl", _PR_SET_PDEATHSIG, _SIGKILL)
    _c_library("prctl", _PR_SET_CHILD_SUBREAPER, 1)


def _c_library(function: str, *arguments: int) -> None:
    if sys.platform == "linux":
        called = getattr(ctypes.CDLL(None), function, None)
        if called is not None:
            called(*arguments)


if __name__ == "__main__":
    _result = json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    _draft = Path(sys.argv[2] + ".draft")
    _draft.write_text(_result, encoding="utf-8")
    _draft.replace(sys.argv[2])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # an engine's threads or exit handlers must not keep the result waiting
