"""Our verdict beside datacompy's: the cases it is blind to, and agreement wherever it can see."""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass
from decimal import Decimal

import datacompy
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from differential.comparison import EVENTS, TableSpec, compare_tables, long_report
from differential.comparison import testing as t
from differential.schemas import EVENTS_SCHEMA

pytestmark = pytest.mark.suite


@dataclass(frozen=True)
class Case:
    """Two tables, whether they are equal, and what datacompy 1.1 says: a verdict or the exception it raises."""

    left: pa.Table
    right: pa.Table
    equal: bool
    datacompy: bool | str
    key: str = "k"


def one(value: object, kind: pa.DataType, name: str = "v") -> pa.Table:
    """One row with key 1 and this value."""
    return pa.table({"k": [1], name: pa.array([value], kind, from_pandas=False)})


KEYED = pa.table({"k": [1, 1, 2], "v": ["a", "b", "c"]})
DAY, MIDNIGHT = dt.date(2025, 1, 1), dt.datetime(2025, 1, 1)  # noqa: DTZ001 - a column without a zone
WIDE = pa.decimal128(38, 20)
SAME = one(1, pa.int64())

CASES = {
    # what datacompy calls equal and is not
    "2^53 and 2^53 + 1": Case(one(2**53, pa.int64()), one(2**53 + 1, pa.int64()), False, True),
    "decimal, last digit": Case(one(Decimal(1), WIDE), one(Decimal("1.00000000000000000001"), WIDE), False, True),
    "null and NaN": Case(one(None, pa.float64()), one(math.nan, pa.float64()), False, True),
    "-0.0 and 0.0": Case(one(-0.0, pa.float64()), one(0.0, pa.float64()), False, True),
    "int and float": Case(one(1, pa.int64()), one(1.0, pa.float64()), False, True),
    "int32 and int64": Case(one(1, pa.int32()), one(1, pa.int64()), False, True),
    "bool and int": Case(one(True, pa.bool_()), one(1, pa.int64()), False, True),
    "date and datetime": Case(one(DAY, pa.date32()), one(MIDNIGHT, pa.timestamp("us")), False, True),
    "date and ISO text": Case(one(DAY, pa.date32()), one("2025-01-01", pa.string()), False, True),
    "us and ns": Case(one(MIDNIGHT, pa.timestamp("us")), one(MIDNIGHT, pa.timestamp("ns")), False, True),
    "decimals of two scales": Case(one(Decimal(1), pa.decimal128(18, 2)), one(Decimal(1), WIDE), False, True),
    "names in another case": Case(one(1, pa.int64()), one(1, pa.int64(), "V"), False, True),
    "columns in another order": Case(SAME, SAME.select(["v", "k"]), False, True),
    # what datacompy calls different, or cannot compare, and is equal
    "empty and empty": Case(SAME.slice(0, 0), SAME.slice(0, 0), True, False),
    "duplicate keys, permuted": Case(KEYED, KEYED.take(pa.array([1, 2, 0])), True, False),
    "a column named v_df1": Case(
        SAME.append_column("v_df1", pa.array([2])), SAME.append_column("v_df1", pa.array([2])), True, "DuplicateError"
    ),
    # what it cannot compare and is different
    "key text and key int": Case(SAME, SAME.set_column(0, "k", pa.array(["1"])), False, "SchemaError"),
    # where both see the same
    "categorical and text": Case(
        one("a", pa.dictionary(pa.uint32(), pa.string())), one("a", pa.string()), False, False
    ),
    "another value": Case(one(1, pa.int64()), one(2, pa.int64()), False, False),
    "null and a value": Case(one(None, pa.int64()), one(0, pa.int64()), False, False),
    "text with a space": Case(one("a", pa.string()), one("a ", pa.string()), False, False),
    "NaN and NaN": Case(one(math.nan, pa.float64()), one(math.nan, pa.float64()), True, True),
    "null and null": Case(one(None, pa.int64()), one(None, pa.int64()), True, True),
    "a missing row": Case(KEYED, KEYED.slice(1), False, False),
    "an extra row": Case(KEYED.slice(0, 2), KEYED, False, False),
    "a duplicated row": Case(KEYED, pa.concat_tables([KEYED, KEYED.slice(2)]), False, False),
    "a missing column": Case(SAME, SAME.append_column("w", pa.array([1])), False, False),
    "rows permuted": Case(KEYED.slice(1), KEYED.take(pa.array([2, 1])), True, True),
}


def datacompy_says(left: pa.Table, right: pa.Table, key: str) -> bool | str:
    try:
        return bool(datacompy.PolarsCompare(pl.DataFrame(left), pl.DataFrame(right), key).matches())
    except (pl.exceptions.PolarsError, ValueError) as error:
        return type(error).__name__


@pytest.mark.parametrize("name", CASES)
def test_truth_table(name: str) -> None:
    case = CASES[name]
    spec = TableSpec("case", (case.key,))
    for left, right in ((case.left, case.right), (case.right, case.left)):
        found = compare_tables(left, right, spec)
        assert found.equal == case.equal
        assert (found.scores.least == 1.0) == case.equal
    assert datacompy_says(case.left, case.right, case.key) == case.datacompy


@pytest.mark.parametrize("name", CASES)
def test_every_case_can_be_reported(name: str) -> None:
    case = CASES[name]
    text = long_report(case.left, case.right, TableSpec("case", (case.key,)))
    assert text.startswith("case: equal" if case.equal else "case: different")
    assert ("cannot compare these tables" in text) == (case.datacompy == "SchemaError")


VISIBLE = pa.schema([field for field in t.SCHEMA if field.name in ("id", "year", *t.PLAIN)])
COLUMNS = st.sampled_from(t.PLAIN)


@t.examples
@given(t.rows(unique=True, min_size=2), COLUMNS, t.values(), st.integers(0, 2**32))
def test_datacompy_agrees_where_it_can_see(rows: list[t.Row], column: str, values: t.Row, seed: int) -> None:
    # unique keys, some row in common, one schema, no floats, no whole number beyond 2^53
    for row in (*rows, values):
        row["count"] = None if row["count"] is None else int(str(row["count"])) % 1000
    changed = [dict(row) for row in rows]
    changed[seed % len(rows)][column] = values[column]
    changed = changed[seed % 2 :]
    random.Random(seed).shuffle(changed)
    left, right = t.table(rows, VISIBLE), t.table(changed, VISIBLE)
    found = compare_tables(left, right, t.SPEC)
    theirs = datacompy.PolarsCompare(pl.DataFrame(left), pl.DataFrame(right), list(t.SPEC.key))
    assert found.equal == theirs.matches()
    assert found.only_left == len(theirs.df1_unq_rows)
    assert found.only_right == len(theirs.df2_unq_rows)
    assert found.equal_rows == theirs.count_matching_rows()
    unequal = {str(stat["column"]): stat["unequal_cnt"] for stat in theirs.column_stats if stat["unequal_cnt"]}
    assert {item.column: item.changed for item in found.columns} == unequal


@settings(max_examples=50, deadline=None)
@given(t.rows(min_size=1), t.rows(), st.integers(0, 2**32))
def test_long_report_is_the_same_to_the_byte(rows: list[t.Row], more: list[t.Row], seed: int) -> None:
    left, right = t.table(rows), t.table(rows[1:] + more)
    assume(not compare_tables(left, right, t.SPEC).equal)
    text = long_report(left, right, t.SPEC)
    order = list(range(left.num_rows))
    random.Random(seed).shuffle(order)
    assert long_report(left.take(pa.array(order)), right, t.SPEC) == text
    assert left.column_names == right.column_names == t.SCHEMA.names


def test_samples_are_the_first_rows_and_not_random_ones() -> None:
    left = pa.table({"k": list(range(40, 0, -1)), "v": ["a"] * 40})
    right = pa.table({"k": list(range(1, 41)), "v": ["b"] * 40})
    texts = {long_report(left, right, TableSpec("t", ("k",))) for _ in range(3)}
    (text,) = texts
    sample = text[text.index("Sample Rows with Unequal Values") :]
    assert [line.split()[1] for line in sample.splitlines() if line.endswith("b         │")] == [
        "1",
        "2",
        "3",
        "4",
        "5",
    ]


def test_long_report_masks_ssn_and_is_cut() -> None:
    row = dict.fromkeys(EVENTS_SCHEMA.names) | {"employee_id": "A", "employee_ssn": "123-45-6789"}
    left = pa.Table.from_pylist([row, row | {"employee_id": "B"}], EVENTS_SCHEMA)
    right = pa.Table.from_pylist([row | {"employee_ssn": "987-65-4321"}], EVENTS_SCHEMA)
    text = long_report(left, right, EVENTS, ("sql", "polars"))
    assert "employee_ssn" in text
    assert "Sample Rows Only in sql" in text
    assert not any(digits in text for digits in ("123-45", "987-65"))
    short = long_report(left, right, EVENTS, ("sql", "polars"), limit=500)
    assert len(short) < 600
    assert short.endswith("more characters are left out\n")
