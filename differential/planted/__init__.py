"""Engines with one planted fault each, to prove that the suite finds faults: `--engine differential.planted:X05`.

A fault is a small patch of SQL text or of a Python function, applied from outside while the engine runs and taken back after
it; the engines know nothing of it. Ids are those of docs/checks.md; faults without one there are named P...
"""

from __future__ import annotations

from differential.planted.engine import PlantedEngine
from differential.planted.faults import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "PlantedEngine"]


def __getattr__(name: str) -> PlantedEngine:
    """`differential.planted:X05` is the engine with fault X05."""
    if name in FAULTS:
        return PlantedEngine(FAULTS[name])
    raise AttributeError(name)
