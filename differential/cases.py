"""Cases: which two sides each parity test compares, and over which variants.

Every axis of a variant is compared with its base value while the other axes go through a covering array, so that the cases
together run every value of each axis and every pair of values (differential/covering.py), not the full product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from differential.comparison import DEFAULT_THRESHOLDS
from differential.covering import covering_rows
from differential.engines import base_of, get_engine, label
from differential.run import Capabilities, capabilities_of
from differential.side import Side
from differential.variant import LEVELS, SWITCHES, Variant

PARITY_TESTS = (*DEFAULT_THRESHOLDS, "oracle")
"""The names that --parity accepts."""

_DEAREST_LAST = ("sql_vs_polars", "library_versions", "levels", "threads", "same_seed")
BY_WORTH = (*_DEAREST_LAST, *(name for name in PARITY_TESTS if name not in _DEAREST_LAST))
"""The tests in the order in which a budget of runs is spent."""

MANY_THREADS = 4
MORSEL = 8
"""Polars' batch size in the batch cases, its least: so small that most generated censuses cross batch borders."""


@dataclass(frozen=True)
class Case:
    """One comparison: `pairs` are the sides to compare, each over its own share of the generated worlds.

    name: of the test item, such as `polars-threads-4`. claim: key of comparison.CLAIMS. size: generated worlds, `worlds` or
    `axis` of the profile. identical: canonical bytes must be equal too. Special inputs by `inputs`: `usual` (the given
    or the real census, and generated worlds), `thousand` (1 000 employees x 2 years besides), `borders` (only censuses at
    the sizes of internal batches), `given` (one world only, for engines whose runs are costly), `slices` (a few slices of it
    under other seeds and years). refused: why it would prove nothing; then nothing is run.
    """

    test: str
    name: str
    pairs: tuple[tuple[Side, Side], ...]
    claim: str
    size: str = "axis"
    identical: bool = False
    inputs: str = "usual"
    refused: str | None = None


def all_cases(
    engines: Sequence[str], axes_of: dict[str, Capabilities] | None = None, *, switches_alone: bool = True
) -> list[Case]:
    """The cases for these engines (SPECs), in the order of PARITY_TESTS; axes that an engine lacks are left out."""
    known = axes_of or {spec: capabilities_of(get_engine(spec)) for spec in engines}
    cases = _pairs(engines, known)
    for spec in engines:
        can = known[spec]
        cases.append(
            Case("same_seed", spec, ((Side(spec), Side(spec, history="new_process")),), "new_process", identical=True)
        )
        if can.legacy_flag:
            flagged = Side(spec, legacy_flag=True)
            cases.append(Case("legacy", spec, ((Side(spec), flagged),), "legacy", inputs="thousand"))
        cases += [
            *_along_axes(spec, can),
            *(_switches_alone(spec, can) if switches_alone else []),
            *_several_years(spec, can),
            *_worlds_together(spec, can),
        ]
    cases += _refused(known)
    if is_costly := any(can.costly for can in known.values()):
        cases = [replace(case, inputs="given") for case in cases] + _slices(engines)
    order = {name: position for position, name in enumerate(BY_WORTH if is_costly else PARITY_TESTS)}
    return sorted(
        (_named(case, engines) for case in cases), key=lambda case: (case.inputs == "slices", order[case.test])
    )


def _refused(known: dict[str, Capabilities]) -> list[Case]:
    """Comparisons that an engine says would prove nothing."""
    return [
        Case(test, spec, ((Side(spec), Side(spec)),), test, refused=reason)
        for spec, can in known.items()
        for test, reason in can.refused.items()
    ]


def _slices(engines: Sequence[str]) -> list[Case]:
    """The first two engines on slices of the census, last of all: where the budget leaves something over."""
    if len(engines) < 2:
        return []
    left, right = engines[:2]
    claim = pair_claim(left, right)
    return [Case(claim, f"{left}-{right}-slices", ((Side(left), Side(right)),), claim, inputs="slices")]


def _named(case: Case, engines: Sequence[str]) -> Case:
    """The case by the labels of its engines, without the paths in their SPECs; those that would be alike get numbers."""
    name = case.name
    for spec in sorted(engines, key=len, reverse=True):
        alike = [one for one in engines if label(one) == label(spec)]
        name = name.replace(spec, label(spec) + (f"~{alike.index(spec) + 1}" if len(alike) > 1 else ""))
    return replace(case, name=name)


def _pairs(engines: Sequence[str], known: dict[str, Capabilities]) -> list[Case]:
    cases = []
    for position, spec in enumerate(engines[1:], start=1):
        # the same engine under another Python is compared with that engine, any other with the first
        twin = next((one for one in engines[:position] if base_of(one) == base_of(spec)), None)
        claim = pair_claim(engines[0] if twin is None else twin, spec)
        left = Side(engines[0] if twin is None else twin)
        cases.append(Case(claim, f"{left.engine}-{spec}", ((left, Side(spec)),), claim, size="worlds"))
    judged = [spec for spec in engines if base_of(spec) != "oracle" and not known[spec].own_rules]
    cases += [Case("oracle", spec, ((Side(spec), Side("oracle")),), "oracle", size="worlds") for spec in judged]
    return cases


def pair_claim(left: str, right: str) -> str:
    """What a comparison of two SPECs says: two engines, or one engine under other versions of its libraries."""
    return "library_versions" if base_of(left) == base_of(right) else "sql_vs_polars"


def _axes(can: Capabilities) -> dict[str, list[Any]]:
    """The axes an engine has, with every value that is tested; the base value of each comes first."""
    named = [level for level in LEVELS if level in can.levels]
    axes: dict[str, list[Any]] = {
        "level": ["high", *(level for level in named if level != "high")] if named else ["high"]
    }
    if can.threads:
        axes["threads"] = [1, MANY_THREADS]
    if can.shards:
        axes["shards"] = [1, 4, 8]
    if can.resume:
        axes["resume"] = [None, 1]
    if can.batch_size:
        axes["batch_size"] = [None, MORSEL]
    return axes


_CLAIMS = {"level": "levels", "threads": "threads", "shards": "shards", "resume": "resume", "batch_size": "batch"}
_TESTS = {**_CLAIMS, "resume": "several_years"}
_DEAREST = ("resume", "shards", "threads", "batch_size", "level")


def _along_axes(spec: str, can: Capabilities) -> list[Case]:
    """One case per axis and value: alone against the base variant, then in each covering row that fell to this value."""
    axes = _axes(can)
    rows: dict[tuple[str, Any], list[dict[str, Any]]] = {
        (axis, value): [] for axis, values in axes.items() for value in values[1:]
    }
    for row in covering_rows(axes):
        changed = [(axis, row[axis]) for axis in axes if row[axis] != axes[axis][0]]
        # Each row runs once, for its dearest axis, so that only one of the two sides pays for it (a resume is a new process,
        # a shard a statement of its own). A row with one change is the plain pair.
        if len(changed) > 1:
            rows[min(changed, key=lambda key: _DEAREST.index(key[0]))].append(row)
    return [
        Case(_TESTS[axis], _case_name(spec, axis, value), _pairs_along(spec, axes, axis, value, found), _CLAIMS[axis])
        for (axis, value), found in rows.items()
    ]


def _pairs_along(
    spec: str, axes: dict[str, list[Any]], axis: str, value: Any, rows: list[dict[str, Any]]
) -> tuple[tuple[Side, Side], ...]:
    base = axes[axis][0]
    plain = {name: values[0] for name, values in axes.items()} | {axis: value}
    variants = [Variant(**row) for row in (plain, *rows)]
    return tuple((Side(spec, replace(variant, **{axis: base})), Side(spec, variant)) for variant in variants)


def _case_name(spec: str, axis: str, value: Any) -> str:
    return f"{spec}-{axis}" if axis in ("resume", "batch_size") else f"{spec}-{value}"


def _switches_alone(spec: str, can: Capabilities) -> list[Case]:
    """Each switch by itself against none; a level that is one switch alone has its case already."""
    if "legacy" not in can.levels:
        return []
    legacy = Side(spec, Variant(level="legacy"))
    return [
        Case("levels", f"{spec}-{switch}", ((legacy, Side(spec, Variant(level=switch))),), "levels")
        for switch in SWITCHES
        if switch in can.switches and not (frozenset({switch}) == LEVELS["low"] and "low" in can.levels)
    ]


def _several_years(spec: str, can: Capabilities) -> list[Case]:
    plain = Side(spec)
    cases = [Case("several_years", f"{spec}-prefix", ((plain, Side(spec, history="prefix")),), "prefix")]
    if can.database:
        used = Side(spec, history="used_database")
        cases.append(Case("several_years", f"{spec}-rerun", ((plain, used),), "used_database"))
    return cases


def _worlds_together(spec: str, can: Capabilities) -> list[Case]:
    if not can.many_worlds:
        return []
    few, crowded = Side(spec, history="few_at_once"), Side(spec, history="crowded")
    return [Case("batch", f"{spec}-worlds", ((few, crowded),), "company")]


def border_case(engines: Sequence[str]) -> Case:
    """Censuses at the borders of DuckDB's vectors and row groups, through the first two engines, or one and the oracle."""
    left, right = (engines[0], engines[1]) if len(engines) > 1 else (engines[0], "oracle")
    return Case(
        "batch", f"{left}-{right}-borders", ((Side(left), Side(right)),), pair_claim(left, right), inputs="borders"
    )
