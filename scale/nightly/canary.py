"""The canary of a night: an engine with a planted fault that the same units have to find as they find any other.

What a canary proves is that failures are still reported, from the engines to the summary (as TigerBeetle's CFO runs a fuzzer that
is bound to fail). Faults take turns, a different one each night.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from differential.planted import FAULTS, Fault
from differential.planted.fault import HARNESS
from scale.nightly.records import Canary, Unit, UnitResult

_OTHER = {"sql": "polars", "polars": "sql", "oracle": "sql"}
_WHAT = {"D1": "sql_vs_polars", "D3": "levels", "D5": "several_years"}
RARE = frozenset({"S07", "S12", "S13", "S20", "S24", "S25"})
"""Faults that need more worlds than a canary's unit draws on a busy machine: one that is missed must mean that something broke."""


def candidates() -> list[str]:
    """Ids of the faults that take turns, in an order in which neighbours have nothing in common."""
    fit = [fault.id for fault in FAULTS.values() if _what(fault) is not None and fault.id not in RARE]
    return sorted(fit, key=lambda id_: hashlib.sha256(id_.encode()).hexdigest())


def choose(night: int) -> Fault:
    """The fault of a night. night: how many nights there were before, which the corpus's history counts."""
    ids = candidates()
    return FAULTS[ids[night % len(ids)]]


def unit_of(fault: Fault) -> tuple[str, tuple[str, ...]]:
    """What the canary's unit does, and its engines: a clean one and the one with the fault, or this alone for a property."""
    what = _what(fault)
    if what is None:
        raise ValueError(f"{fault.id}: no unit of a campaign is meant to find it")
    spec = f"differential.planted:{fault.id}"
    if what == "sql_vs_polars":
        return what, (_OTHER[fault.engine], spec)
    return what, (f"{spec}_{fault.engine}",) if fault.everywhere else (spec,)


def judged(fault: Fault, unit: Unit, result: UnitResult | None) -> Canary:
    """Whether the unit found the fault. Only a failure that was found counts, not one that the unit itself died of."""
    found = sorted(result.found, key=lambda one: one.after) if result is not None else []
    said = f"{fault.id} in {' and '.join(fault.engines)}"
    if found:
        first = found[0]
        return Canary(
            fault=said, sentence=fault.sentence, caught=True, seconds=first.after, bundle=first.bundle, reason=first.key
        )
    return Canary(fault=said, sentence=fault.sentence, caught=False, reason=_why(unit, result))


def _why(unit: Unit, result: UnitResult | None) -> str:
    if result is None:
        return f"unit {unit.name} left no result"
    if result.status not in ("pass", "fail"):
        return f"unit {unit.name} is {result.status}: {result.reason or 'it was ended'}"
    return f"unit {unit.name} ran {result.worlds} worlds in {result.seconds:.0f} s and found nothing"


def _what(fault: Fault) -> str | None:
    """The kind of unit that is meant to find a fault, by the first of its detectors."""
    if HARNESS in fault.plantings or fault.verdict == "refused":
        return None
    first: Sequence[str] = fault.detectors[:1]
    for detector in first:
        if detector in _WHAT:
            return _WHAT[detector]
        if detector.startswith("I"):
            return "invariants"
    return None
