"""Per numeric column: how far apart the matched rows of two tables are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

from differential.comparison.verdict import TableSpec
from differential.run import Run


@dataclass(frozen=True)
class NumericDifference:
    """One numeric column over rows matched by key and not null on both sides, in the column's own unit.

    count: rows compared. differing: of these, unequal ones. largest, mean: of the absolute difference, exact for whole
    numbers and decimals. correlation: Pearson's, None with fewer than two rows or where a side does not vary.
    """

    table: str
    column: str
    count: int
    differing: int
    largest: Decimal
    mean: Decimal
    correlation: float | None


def numeric_differences(left: pa.Table, right: pa.Table, spec: TableSpec) -> list[NumericDifference]:
    """For each column that is numeric and of one type on both sides, in schema order."""
    raise NotImplementedError


def numeric_differences_of_runs(left: Run, right: Run) -> list[NumericDifference]:
    """The same over all worlds of two runs (rows are matched within each world), events first, then state."""
    raise NotImplementedError
