"""Small random tables and naive verdicts, for the tests of the comparison itself."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from decimal import Decimal
from typing import TypeAlias

import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st

from differential.comparison.verdict import TableSpec

Row: TypeAlias = dict[str, object]

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("year", pa.int32()),
        ("amount", pa.decimal128(18, 2)),
        ("ratio", pa.float64()),
        ("count", pa.int64()),
        ("flag", pa.bool_()),
        ("day", pa.date32()),
        ("name", pa.string()),
    ]
)
SPEC = TableSpec("people", ("id", "year"), ("year", "id"), ("year",))

examples = settings(max_examples=100, deadline=None)
"""For tests of the comparison itself: profiles give worlds, not these, their numbers of examples."""

_VALUES: dict[str, st.SearchStrategy[object]] = {
    "amount": st.decimals(Decimal("-9.99"), Decimal("9.99"), places=2),
    "ratio": st.sampled_from([0.0, -0.0, math.nan, 1.5, -1.5, math.inf, 1e-300]),
    "count": st.sampled_from([0, 1, 2**53, 2**53 + 1, -(2**63)]),
    "flag": st.booleans(),
    "day": st.sampled_from([dt.date(2024, 2, 29), dt.date(1969, 12, 31), dt.date(2025, 1, 1)]),
    "name": st.text("aé ", max_size=2),
}
_KEYS = st.tuples(st.sampled_from(["A", "B", "b", "é", ""]), st.integers(2025, 2027))
PLAIN = ("amount", "count", "flag", "day", "name")
"""Value columns in which datacompy sees what we see, given numbers below 2^53."""


@st.composite
def rows(draw: st.DrawFn, *, unique: bool = False, min_size: int = 0, nulls: bool = True) -> list[Row]:
    """Up to eight rows; keys repeat unless `unique`."""
    keys = draw(st.lists(_KEYS, min_size=min_size, max_size=8, unique=unique))
    return [{"id": key, "year": year, **draw(values(nulls=nulls))} for key, year in keys]


def values(*, nulls: bool = True) -> st.SearchStrategy[Row]:
    """The value columns of one row, any of them null."""
    return st.fixed_dictionaries({name: st.none() | value if nulls else value for name, value in _VALUES.items()})


def table(found: list[Row], schema: pa.Schema = SCHEMA) -> pa.Table:
    """Rows as a table. NaN stays NaN, None becomes null."""
    columns = [pa.array([row[field.name] for row in found], field.type, from_pandas=False) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def naive_rows(found: pa.Table) -> Counter[tuple[str, ...]]:
    """The multiset of rows, by Python: repr tells null, NaN, 0.0 and -0.0 apart."""
    return Counter(tuple(repr(value) for value in row.values()) for row in found.to_pylist())


def naive_keys(found: pa.Table, key: tuple[str, ...]) -> Counter[tuple[str, ...]]:
    """The multiset of keys, by Python."""
    return Counter(tuple(repr(row[name]) for name in key) for row in found.to_pylist())


def shared(left: Counter[tuple[str, ...]], right: Counter[tuple[str, ...]]) -> tuple[int, int]:
    """Sizes of the intersection and of the union of two multisets."""
    return (left & right).total(), (left | right).total()


def with_cell(found: pa.Table, row: int, column: str, value: object) -> pa.Table:
    """The table with one cell replaced."""
    items = found[column].to_pylist()
    items[row] = value
    field = found.schema.field(column)
    return found.set_column(found.column_names.index(column), field, pa.array(items, field.type, from_pandas=False))
