"""The canary of a night: an engine with a planted fault that the same units have to find as they find any other.

What a canary proves is that failures are still reported, from the engines to the summary (as TigerBeetle's CFO runs a fuzzer that
is bound to fail). Faults take turns, a different one each night.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from differential.engines import BUILT_IN
from differential.planted import FAULTS, Fault
from differential.planted.fault import HARNESS
from scale.nightly.keys import key_of, plain
from scale.nightly.records import Canary, Found, Known, Unit, UnitResult

_OTHER = {"sql": "polars", "polars": "sql", "oracle": "sql"}
_PLANTED, _NOT_PLANTED = "differential.planted:", "|PatchError"
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


def unit_of(fault: Fault, engines: Sequence[str] = ()) -> tuple[str, tuple[str, ...]]:
    """What the canary's unit does, and its engines: a clean one and the one with the fault, or this alone for a property.

    engines: of the campaign, in whose order they stand, as in the keys of its failures.
    """
    what = _what(fault)
    if what is None:
        raise ValueError(f"{fault.id}: no unit of a campaign is meant to find it")
    if what == "sql_vs_polars":
        pair = {_OTHER[fault.engine]: _OTHER[fault.engine], fault.engine: _spec(fault)}
        return what, tuple(pair[engine] for engine in sorted(pair, key=[*engines, *BUILT_IN].index))
    return what, (_spec(fault),)


def known_to(unit: Unit, entries: Iterable[Known]) -> list[str]:
    """Keys under which the canary's unit may meet failures that are open without any fault: they prove nothing."""
    base = {_base(spec): spec for spec in unit.engines}
    keys = []
    for one in entries:
        prefix = plain(f"{', '.join(one.engines)}|")
        if one.state != "retired" and set(one.engines) <= set(base) and one.key.startswith(prefix):
            keys.append(key_of([base[engine] for engine in one.engines], one.key.removeprefix(prefix)))
    return sorted(keys)


def finds(found: Iterable[Found]) -> list[Found]:
    """Those that are the fault's doing, soonest first: not open without it, seen more than once, and no fault that could not be
    planted any more, since the place in the engine is gone."""
    return sorted(
        (one for one in found if one.shown == "new" and _NOT_PLANTED not in one.key), key=lambda one: one.after
    )


def judged(fault: Fault, unit: Unit, result: UnitResult | None) -> Canary:
    """Whether the unit found the fault. Only a failure that was found counts, not one that the unit itself died of."""
    found = finds(result.found) if result is not None else []
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
    ran = f"unit {unit.name} ran {result.worlds} worlds in {result.seconds:.0f} s and found"
    if not result.found:
        return f"{ran} nothing"
    one = result.found[0]
    if _NOT_PLANTED in one.key:
        return (
            f"it could not be planted: its place in the engine has changed; mend it in differential/planted ({one.key})"
        )
    why = "is open without the fault too" if one.shown == "known" else "did not repeat"
    return f"{ran} only what {why}: {one.key}"


def _spec(fault: Fault) -> str:
    """The engine with the fault."""
    return f"{_PLANTED}{fault.id}_{fault.engine}" if fault.everywhere else f"{_PLANTED}{fault.id}"


def _base(spec: str) -> str:
    """The engine that a SPEC is, but for its fault."""
    if not spec.startswith(_PLANTED):
        return spec
    id_, _, engine = spec.removeprefix(_PLANTED).partition("_")
    return engine or FAULTS[id_].engine


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
