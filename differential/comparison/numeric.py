"""Per numeric column: how far apart the matched rows of two tables are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from differential.comparison.changes import is_number
from differential.comparison.exact import match_tables, shared_columns, tables_identical
from differential.comparison.matching import Positions
from differential.comparison.verdict import EVENTS, STATE, TableSpec
from differential.run import Run


@dataclass(frozen=True)
class NumericDifference:
    """One numeric column over rows matched by key and not null (nor NaN) on both sides, in the column's own unit.

    count: rows compared. differing: of these, unequal ones. largest, mean: of the absolute difference, exact for whole
    numbers and decimals (the mean to 28 digits); None where a difference is infinite or no row was compared. correlation:
    Pearson's, to 9 decimals; None with fewer than two rows or where a side does not vary.
    """

    table: str
    column: str
    count: int
    differing: int
    largest: Decimal | None
    mean: Decimal | None
    correlation: float | None


def numeric_differences(left: pa.Table, right: pa.Table, spec: TableSpec) -> list[NumericDifference]:
    """For each column that is numeric and of one type on both sides, in schema order; key columns are left out."""
    if tables_identical(left, right):
        return list(_measure(left, left, spec))
    matching = match_tables(left, right, spec)
    return list(_measure(left.take(pa.array(matching.left)), right.take(pa.array(matching.right)), spec))


def numeric_differences_of_runs(left: Run, right: Run) -> list[NumericDifference]:
    """The same over all worlds of two runs (rows are matched within each world), events first, then state."""
    found: list[NumericDifference] = []
    for index, spec in enumerate((EVENTS, STATE)):
        mine, yours = (left.events, right.events) if index == 0 else (left.state, right.state)
        if left.bounds != right.bounds or not tables_identical(mine, yours):
            at_left, at_right = _match_worlds(left, right, index, spec)
            mine, yours = mine.take(pa.array(at_left)), yours.take(pa.array(at_right))
        found += _measure(mine, yours, spec)
    return found


def _match_worlds(left: Run, right: Run, index: int, spec: TableSpec) -> tuple[Positions, Positions]:
    """Positions in the whole tables of rows that belong together."""
    pairs: tuple[list[Positions], list[Positions]] = ([np.empty(0, np.int64)], [np.empty(0, np.int64)])
    starts = [0, 0]
    for one, other in zip(left.results(), right.results(), strict=True):
        mine, yours = (one.events, other.events) if index == 0 else (one.state, other.state)
        if tables_identical(mine, yours):
            places = (np.arange(mine.num_rows), np.arange(mine.num_rows))
        else:
            matching = match_tables(mine, yours, spec)
            places = (matching.left, matching.right)
        for side, table in enumerate((mine, yours)):
            pairs[side].append(places[side] + starts[side])
            starts[side] += table.num_rows
    return np.concatenate(pairs[0]), np.concatenate(pairs[1])


def _measure(left: pa.Table, right: pa.Table, spec: TableSpec) -> Iterator[NumericDifference]:
    """Measure rows that stand at the same positions."""
    for name in shared_columns(left.schema, right.schema):
        if is_number(left.schema.field(name).type) and name not in spec.key:
            yield _difference((spec.name, name), left[name], right[name])


def _difference(names: tuple[str, str], left: pa.ChunkedArray, right: pa.ChunkedArray) -> NumericDifference:
    known = pc.and_(_known(left), _known(right))
    left, right = left.filter(known), right.filter(known)
    correlation = _correlation(_floats(left), _floats(right))
    differing = int(pc.sum(pc.not_equal(left, right)).as_py() or 0)
    if not len(left):
        return NumericDifference(*names, 0, 0, None, None, None)
    if not differing:
        return NumericDifference(*names, len(left), 0, Decimal(0), Decimal(0), correlation)
    if pt.is_floating(left.type):
        with np.errstate(invalid="ignore"):
            gaps = np.abs(_floats(left) - _floats(right))
        largest, mean = (_decimal(value) for value in (gaps.max(), np.sort(gaps).mean()))
    else:
        unequal = pc.not_equal(left, right)
        pairs = zip(left.filter(unequal).to_pylist(), right.filter(unequal).to_pylist(), strict=True)
        exact = [abs(Decimal(one) - Decimal(other)) for one, other in pairs]
        with localcontext(prec=60):
            total = sum(exact, Decimal(0))
        largest, mean = max(exact), (total / len(left)).normalize()
    return NumericDifference(*names, len(left), differing, largest, mean, correlation)


def _known(column: pa.ChunkedArray) -> pa.ChunkedArray:
    valid = pc.is_valid(column)
    return pc.and_(valid, pc.fill_null(pc.invert(pc.is_nan(column)), False)) if pt.is_floating(column.type) else valid


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _decimal(value: np.float64) -> Decimal | None:
    return Decimal(repr(float(value))) if np.isfinite(value) else None


def _correlation(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> float | None:
    """Pearson's, from centred values; rounded, so that the order of summation cannot show."""
    if len(left) < 2 or not (np.isfinite(left).all() and np.isfinite(right).all()):
        return None
    if (left == left[0]).all() or (right == right[0]).all():
        return None
    if np.array_equal(left, right):
        return 1.0
    x, y = left - left.mean(), right - right.mean()
    scale = np.abs(x).max() * np.abs(y).max()
    if not np.isfinite(scale) or scale == 0:
        return None
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    return round(float((x @ y) / np.sqrt((x @ x) * (y @ y))), 9)
