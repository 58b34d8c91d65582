"""The first rows of each kind of difference, in canonical order, so that reports do not depend on the order of the rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from differential.comparison.canonical import canonical_indices
from differential.comparison.changes import Changes
from differential.comparison.matching import Matching, Positions
from differential.comparison.verdict import RowDifference, RowKind, TableSpec


def sample_rows(
    left: pa.Table, right: pa.Table, spec: TableSpec, matching: Matching, changes: Changes, count: int
) -> tuple[RowDifference, ...]:
    """Up to `count` rows of each kind: changed, only on one side, surplus duplicates."""
    order = spec.order or spec.key
    found = []
    changed = np.flatnonzero(changes.rows)
    for place in _first(left, matching.left[changed], order, count):
        row = int(changed[place])
        at, to = int(matching.left[row]), int(matching.right[row])
        values = tuple(
            (name, left[name][at].as_py(), right[name][to].as_py()) for name, mask in changes.masks.items() if mask[row]
        )
        found.append(RowDifference("changed", _key(left, spec, at), values))
    sides: tuple[tuple[RowKind, pa.Table, Positions], ...] = (
        ("only_left", left, matching.only_left),
        ("only_right", right, matching.only_right),
        ("duplicate_left", left, matching.surplus_left),
        ("duplicate_right", right, matching.surplus_right),
    )
    for kind, table, rows in sides:
        found += [
            RowDifference(kind, _key(table, spec, int(rows[place]))) for place in _first(table, rows, order, count)
        ]
    return tuple(found)


def _first(table: pa.Table, rows: Positions, order: tuple[str, ...], count: int) -> list[int]:
    """Places in `rows` of the first few in canonical order."""
    if not len(rows) or count < 1:
        return []
    if len(rows) == 1:
        return [0]
    return [int(place) for place in canonical_indices(table.take(pa.array(rows)), order)[:count].to_pylist()]


def _key(table: pa.Table, spec: TableSpec, row: int) -> tuple[tuple[str, object], ...]:
    return tuple((name, table[name][row].as_py()) for name in spec.key if table.column_names.count(name) == 1)
