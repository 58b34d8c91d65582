"""Everybody who shows one kind of difference: the failing run was a test of each person in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from differential.comparison.divergence import Divergence, DivergenceKind
from differential.comparison.policy import ComparisonPolicy
from differential.comparison.verdict import EVENTS, STATE, TableSpec
from differential.run import WorldResult

Key = tuple[Hashable, ...]
_OTHER_WAY: dict[DivergenceKind, DivergenceKind] = {
    "missing_left": "missing_right",
    "missing_right": "missing_left",
}
_KINDS = ("missing_left", "missing_right", "value", "duplicate")


def alike(
    left: WorldResult, right: WorldResult, found: Divergence, policy: ComparisonPolicy | None = None
) -> list[tuple[int, str]]:
    """(year, employee) of each row that differs as `found` does: in its table, event type and column, and in its way.

    In the order of year and employee; empty for a difference of no person's (a schema, an infeasible world).
    """
    if found.kind not in _KINDS:
        return []
    spec = EVENTS if found.table == EVENTS.name else STATE
    mine, yours = (_rows(result, spec, found) for result in (left, right))
    at_year, at_employee = spec.key.index("simulation_year"), spec.key.index("employee_id")
    keys = _differing(mine, yours, found, (policy or ComparisonPolicy()).rules(spec.name).tolerances)
    return sorted({(int(str(key[at_year])), str(key[at_employee])) for key in keys if key[at_year] is not None})


def swapped_with(
    left: WorldResult, right: WorldResult, found: Divergence, policy: ComparisonPolicy | None = None
) -> list[str]:
    """Of a row that is missing on one side: those whose row is missing on the other in the same year, who were selected in the
    place of the first ones, if it is a selection."""
    other = _OTHER_WAY.get(found.kind)
    if other is None:
        return []
    return [employee for year, employee in alike(left, right, replace(found, kind=other), policy) if year == found.year]


def _rows(result: WorldResult, spec: TableSpec, found: Divergence) -> dict[Key, list[Any]]:
    """The values of the column that differs, by key."""
    table = result.events if spec is EVENTS else result.state
    if spec is EVENTS:
        table = table.filter(pc.equal(table["event_type"], pa.scalar(found.event_type, table["event_type"].type)))
    column = found.column if found.kind == "value" else None
    values = table[column].to_pylist() if column in table.column_names else [None] * table.num_rows
    rows: dict[Key, list[Any]] = {}
    for *key, value in zip(*(table[name].to_pylist() for name in spec.key), values, strict=True):
        rows.setdefault(tuple(key), []).append(value)
    return rows


def _differing(
    mine: Mapping[Key, list[Any]], yours: Mapping[Key, list[Any]], found: Divergence, tolerances: Mapping[str, Decimal]
) -> Iterator[Key]:
    if found.kind == "missing_left":
        yield from (key for key in yours if key not in mine)
        return
    if found.kind == "missing_right":
        yield from (key for key in mine if key not in yours)
        return
    tolerance = tolerances.get(found.column or "", Decimal(0))
    for key in mine.keys() & yours.keys():
        if found.kind == "duplicate":
            if len(mine[key]) != len(yours[key]):
                yield key
        elif not _same(mine[key], yours[key], tolerance):
            yield key


def _same(mine: list[Any], yours: list[Any], tolerance: Decimal) -> bool:
    if tolerance and len(mine) == len(yours) == 1 and None not in (mine[0], yours[0]):
        return bool(abs(Decimal(str(mine[0])) - Decimal(str(yours[0]))) <= tolerance)
    return Counter(map(repr, mine)) == Counter(map(repr, yours))
