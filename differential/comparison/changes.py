"""Values of matched rows, column by column: which differ, how, and which of them a tolerance covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from differential.comparison.matching import Matching
from differential.comparison.verdict import ColumnDifference, ColumnRules

Mask: TypeAlias = npt.NDArray[np.bool_]


class RuleError(ValueError):
    """A tolerance on a column that is not a number."""


@dataclass(frozen=True)
class Changes:
    """columns: the columns that differ, in schema order. rows: per matched row, whether any column differs beyond its
    tolerance. masks: the same per changed column."""

    columns: tuple[ColumnDifference, ...]
    rows: Mask
    masks: Mapping[str, Mask] = field(default_factory=dict)


def compare_columns(
    left: pa.Table,
    right: pa.Table,
    names: Sequence[str],
    matching: Matching,
    mine: Mapping[str, pa.ChunkedArray],
    yours: Mapping[str, pa.ChunkedArray],
    rules: ColumnRules,
) -> Changes:
    """Compare the named columns over matched rows; `mine` and `yours` hold their comparable forms.

    Raises RuleError for a tolerance on a column that is not a number.
    """
    pick_left, pick_right = _picker(matching.left, left.num_rows), _picker(matching.right, right.num_rows)
    columns, masks = [], {}
    rows = np.zeros(len(matching.left), bool)
    for name in names:
        one, other = pick_left(mine[name]), pick_right(yours[name])
        if one.equals(other):
            continue
        differing = unequal(one, other)
        here, there = left[name], right[name]
        at_left, at_right = matching.left[differing], matching.right[differing]
        here, there = here.take(pa.array(at_left)), there.take(pa.array(at_right))
        excused = np.zeros(len(here), bool)
        if name in rules.tolerances:
            excused = _within(here, there, rules.tolerances[name], name)
        beyond = np.flatnonzero(differing)[~excused]
        rows[beyond] = True
        if len(beyond):
            masks[name] = np.zeros(len(rows), bool)
            masks[name][beyond] = True
        kinds = _kinds(here.filter(pa.array(~excused)), there.filter(pa.array(~excused)))
        columns.append(ColumnDifference(name, len(beyond), int(excused.sum()), kinds))
    return Changes(tuple(columns), rows, masks)


def unequal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> Mask:
    """Row by row whether two comparable columns differ; null equals null."""
    ask = pc.xor(pc.is_null(left), pc.is_null(right))
    return np.asarray(pc.or_(ask, pc.fill_null(pc.not_equal(left, right), False)).to_numpy(), bool)


def is_number(kind: pa.DataType) -> bool:
    """Whether differences of this type are numbers."""
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))


def _picker(positions: npt.NDArray[np.int64], size: int):  # type: ignore[no-untyped-def]
    """A function that takes the rows at these positions, without copying where that is all of them in order."""
    if len(positions) == size and bool((positions == np.arange(size)).all()):
        return lambda column: column
    indices = pa.array(positions)
    return lambda column: column.take(indices)


def _within(left: pa.ChunkedArray, right: pa.ChunkedArray, tolerance: Decimal, name: str) -> Mask:
    """Whether both are numbers no further apart than the tolerance; exact for whole numbers and decimals."""
    if not is_number(left.type):
        raise RuleError(f"a tolerance on column {name!r}, which is {left.type}: only numbers can have one")
    if pt.is_floating(left.type):
        gap = pc.abs(pc.subtract(left.cast(pa.float64()), right.cast(pa.float64())))
        return np.asarray(pc.fill_null(pc.less_equal(gap, float(tolerance)), False).to_numpy(), bool)
    pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
    return np.array([a is not None and b is not None and abs(a - b) <= tolerance for a, b in pairs], bool)


def _kinds(left: pa.ChunkedArray, right: pa.ChunkedArray) -> dict[str, int]:
    """How many of these differing values differ in which way; only the kinds that occur."""
    no_left, no_right = _mask(pc.is_null(left)), _mask(pc.is_null(right))
    kinds = {"null_left": int((no_left & ~no_right).sum()), "null_right": int((no_right & ~no_left).sum())}
    if pt.is_floating(left.type):
        left, right = left.cast(pa.float64()), right.cast(pa.float64())
        both = ~no_left & ~no_right
        nan_left, nan_right = _mask(pc.is_nan(left)) & both, _mask(pc.is_nan(right)) & both
        same = _mask(pc.equal(left, right)) & both
        kinds |= {"nan_left": int(nan_left.sum()), "nan_right": int(nan_right.sum()), "zero_sign": int(same.sum())}
    kinds["value"] = len(left) - sum(kinds.values())
    return {kind: count for kind, count in sorted(kinds.items()) if count}


def _mask(values: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(values, False).to_numpy(), bool)
