"""The host's side: what the other Python does with a request. Only the standard library is imported at the top."""

from __future__ import annotations

import json
import platform
import traceback
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from differential.pipe import Part

_LIBRARIES = ("duckdb", "polars", "pyarrow", "numpy", "pandas", "pydantic")
_MOST_TRACE = 8_000


def answer(request: Sequence[bytearray]) -> list[Part]:
    """Describe or run an engine. The first part of the answer is JSON with `outcome`: returned, raised, memory, missing."""
    asked = json.loads(request[0])
    try:
        if asked["call"] == "describe":
            return [json.dumps({"outcome": "returned", **_describe(asked["engine"])}).encode()]
        return _run(asked, request[1])
    except MemoryError:
        return _told("memory")
    except ModuleNotFoundError as error:
        return _told("missing", module=error.name or "", message=str(error), trace=_trace())
    except Exception as error:  # noqa: BLE001 - it is told on the other side
        return _told("raised", type=type(error).__name__, message=str(error), trace=_trace())


def _describe(spec: str) -> dict[str, Any]:
    from dataclasses import asdict

    from differential.engines import get_engine
    from differential.run import capabilities_of

    engine = get_engine(spec)
    return {
        "name": engine.name,
        "capabilities": asdict(capabilities_of(engine)),
        "run_years": callable(getattr(engine, "run_years", None)),
        "versions": _versions(),
    }


def _run(asked: Mapping[str, Any], censuses: bytearray) -> list[Part]:
    from dataclasses import replace

    from differential.engines import get_engine
    from differential.hosts.wire import json_out, run_out, variant_in, worlds_in

    engine: Any = get_engine(asked["engine"])
    worlds, variant = worlds_in(asked["worlds"], censuses), variant_in(asked["variant"])
    run = engine.run(worlds, variant) if asked["years"] is None else engine.run_years(worlds, variant, *asked["years"])
    if getattr(run, "proof", None) is not None:
        run = replace(
            run, proof=replace(run.proof, versions={**run.proof.versions, "python": platform.python_version()})
        )
    head, events, state = run_out(run)
    return [json_out({"outcome": "returned", **head}), events, state]


def _versions() -> dict[str, str]:
    """Of this Python and the libraries an engine may compute with, as far as they are here."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _trace() -> str:
    return traceback.format_exc()[-_MOST_TRACE:]


def _told(outcome: str, **what: str) -> list[Part]:
    return [json.dumps({"outcome": outcome, "python": platform.python_version(), **what}).encode()]
