"""Engines with one planted fault each, to prove that the suite finds faults: `--engine differential.planted:X05`.

A fault is a small patch of SQL text or of Python code, applied from outside while the engine runs and taken back after
it; the engines know nothing of it. Ids X.. are those of docs/checks.md; S.. are in the SQL engine, P.. in the Polars engine,
and B.. in every engine alike. `X19_polars` is the Polars engine with X19, where a fault has several.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from differential.planted.engine import PlantedEngine
from differential.planted.fault import Fault
from differential.planted.faults import FAULTS

__all__ = ["FAULTS", "Fault", "PlantedEngine", "planted_there"]


def __getattr__(name: str) -> PlantedEngine:
    """`differential.planted:X05` is the engine with fault X05."""
    fault, _, engine = name.partition("_")
    if fault in FAULTS and (not engine or engine in FAULTS[fault].plantings):
        return PlantedEngine(FAULTS[fault], engine or None)
    raise AttributeError(name)


def planted_there(name: str) -> AbstractContextManager[Any]:
    """The context in which a worker process has a fault; `name` as in X19_polars."""
    fault, _, engine = name.partition("_")
    return FAULTS[fault].plantings[engine]()
