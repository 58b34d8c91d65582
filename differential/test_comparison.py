"""The exact comparator against naive Python, against one planted change at a time, and on awkward tables."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.comparison import (
    EVENTS,
    STATE,
    ColumnRules,
    Scores,
    TableComparison,
    TableSpec,
    compare_tables,
)
from differential.comparison import testing as t
from differential.comparison.changes import RuleError
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA

pytestmark = pytest.mark.suite

NUMBERS = st.integers(0, 2**32)


def permuted(table: pa.Table, seed: int) -> pa.Table:
    order = list(range(table.num_rows))
    random.Random(seed).shuffle(order)
    return table.take(pa.array(order, pa.int64()))


def differing(found: TableComparison) -> dict[str, int]:
    """Every count of a difference that is not zero."""
    counts = {"only_left": found.only_left, "only_right": found.only_right}
    counts |= {"duplicate_left": found.duplicate_left, "duplicate_right": found.duplicate_right}
    counts |= {f"schema {item.kind} {item.column}": 1 for item in found.schema}
    counts |= {f"{item.column} {kind}": count for item in found.columns for kind, count in item.kinds.items()}
    return {name: count for name, count in counts.items() if count}


@t.examples
@given(t.rows(), t.rows(), st.lists(st.tuples(NUMBERS, t.values()), max_size=2), NUMBERS)
def test_verdict_and_scores_equal_naive_python(
    left_rows: list[t.Row], more: list[t.Row], edits: list[tuple[int, t.Row]], seed: int
) -> None:
    left = t.table(left_rows)
    # rows of the left with at most two cells replaced, some dropped, some added: keys and whole rows overlap
    kept = [dict(row) for index, row in enumerate(left_rows) if seed >> index & 1] + more[: seed % 3]
    for number, values in edits if kept else ():
        column = list(values)[number % len(values)]
        kept[number % len(kept)][column] = values[column]
    right = permuted(t.table(kept), seed)
    found = compare_tables(left, right, t.SPEC)
    equal_rows, _ = t.shared(t.naive_rows(left), t.naive_rows(right))
    keys, union = t.shared(t.naive_keys(left, t.SPEC.key), t.naive_keys(right, t.SPEC.key))
    years, most = t.shared(t.naive_keys(left, ("year",)), t.naive_keys(right, ("year",)))
    assert found.equal == (t.naive_rows(left) == t.naive_rows(right))
    assert found.accepted == found.equal
    assert (found.matched, found.equal_rows) == (keys, equal_rows)
    expected = Scores(years / most, keys / union, equal_rows / union) if union else Scores()
    assert found.scores == expected
    assert found.scores.least == min(expected.count, expected.overlap, expected.value)
    assert found.matched + found.only_left + found.duplicate_left == left.num_rows
    assert found.matched + found.only_right + found.duplicate_right == right.num_rows


@t.examples
@given(t.rows(), t.rows(), NUMBERS)
def test_report_does_not_depend_on_row_order(left_rows: list[t.Row], right_rows: list[t.Row], seed: int) -> None:
    left, right = t.table(left_rows), t.table(left_rows[1:] + right_rows)
    text = compare_tables(left, right, t.SPEC).describe()
    assert compare_tables(permuted(left, seed), permuted(right, seed + 1), t.SPEC).describe() == text


@t.examples
@given(t.rows(), t.rows())
def test_sides_are_treated_alike(left_rows: list[t.Row], right_rows: list[t.Row]) -> None:
    left, right = t.table(left_rows), t.table(left_rows[1:] + right_rows)
    one, other = compare_tables(left, right, t.SPEC), compare_tables(right, left, t.SPEC)
    assert one.scores == other.scores
    assert (one.only_left, one.duplicate_left) == (other.only_right, other.duplicate_right)
    assert [item.changed for item in one.columns] == [item.changed for item in other.columns]


ROWS = t.rows(unique=True, min_size=1, nulls=False)


@t.examples
@given(ROWS, NUMBERS)
def test_permutation_changes_nothing(rows: list[t.Row], seed: int) -> None:
    table = t.table(rows)
    assert compare_tables(table, permuted(table, seed), t.SPEC).equal


@t.examples
@given(ROWS, NUMBERS)
def test_a_dropped_row_is_on_the_left_only(rows: list[t.Row], seed: int) -> None:
    row = seed % len(rows)
    found = compare_tables(t.table(rows), permuted(t.table(rows[:row] + rows[row + 1 :]), seed), t.SPEC)
    assert differing(found) == {"only_left": 1}
    assert [(item.kind, dict(item.key)) for item in found.samples] == [
        ("only_left", {"id": rows[row]["id"], "year": rows[row]["year"]})
    ]


@t.examples
@given(ROWS, NUMBERS)
def test_a_repeated_row_is_a_duplicate(rows: list[t.Row], seed: int) -> None:
    found = compare_tables(t.table(rows), permuted(t.table([*rows, rows[seed % len(rows)]]), seed), t.SPEC)
    assert differing(found) == {"duplicate_right": 1}
    assert [item.kind for item in found.samples] == ["duplicate_right"]


CHANGES: dict[str, tuple[str, object, object, str]] = {
    "another amount": ("amount", Decimal("1.00"), Decimal("1.01"), "value"),
    "last bit of a large number": ("count", 2**53, 2**53 + 1, "value"),
    "another text": ("name", "a", "a ", "value"),
    "a flag": ("flag", True, False, "value"),
    "null for a value": ("amount", Decimal("1.00"), None, "null_right"),
    "a value for null": ("name", None, "", "null_left"),
    "NaN for a number": ("ratio", 1.5, math.nan, "nan_right"),
    "a number for NaN": ("ratio", math.nan, 0.0, "nan_left"),
    "null for NaN": ("ratio", math.nan, None, "null_right"),
    "NaN for null": ("ratio", None, math.nan, "null_left"),
    "sign of zero": ("ratio", 0.0, -0.0, "zero_sign"),
}


@pytest.mark.parametrize("change", CHANGES)
@t.examples
@given(rows=ROWS, seed=NUMBERS)
def test_a_changed_cell_is_named_with_its_kind(change: str, rows: list[t.Row], seed: int) -> None:
    column, before, after, kind = CHANGES[change]
    row = seed % len(rows)
    left = t.with_cell(t.table(rows), row, column, before)
    right = permuted(t.with_cell(left, row, column, after), seed)
    found = compare_tables(left, right, t.SPEC)
    assert differing(found) == {f"{column} {kind}": 1}
    assert found.equal_rows == len(rows) - 1
    (sample,) = found.samples
    assert dict(sample.key) == {"id": rows[row]["id"], "year": rows[row]["year"]}
    assert [(name, repr(a), repr(b)) for name, a, b in sample.changes] == [(column, repr(before), repr(after))]


def other_type(table: pa.Table) -> pa.Table:
    return table.set_column(4, "count", table["count"].cast(pa.decimal128(38, 0)))


def renamed(table: pa.Table) -> pa.Table:
    return table.rename_columns(["label" if name == "name" else name for name in table.column_names])


def repeated(table: pa.Table) -> pa.Table:
    return table.append_column("name", table["name"])


SCHEMAS: dict[str, tuple[Callable[[pa.Table], pa.Table], dict[str, int]]] = {
    "type": (other_type, {"schema type count": 1}),
    "rename": (renamed, {"schema only_left name": 1, "schema only_right label": 1}),
    "order": (lambda table: table.select([0, 1, 3, 2, 4, 5, 6, 7]), {"schema order amount": 1}),
    "dropped": (lambda table: table.drop_columns(["flag"]), {"schema only_left flag": 1}),
    "repeated": (repeated, {"schema repeated name": 1}),
    "text encoded": (
        lambda table: table.set_column(7, "name", table["name"].dictionary_encode()),
        {"schema type name": 1},
    ),
}


@pytest.mark.parametrize("change", SCHEMAS)
@t.examples
@given(rows=t.rows(unique=True))
def test_a_changed_schema_is_named_and_scores_nothing(change: str, rows: list[t.Row]) -> None:
    edit, expected = SCHEMAS[change]
    found = compare_tables(t.table(rows), edit(t.table(rows)), t.SPEC)
    assert not found.equal
    assert differing(found) == expected
    assert found.scores == Scores(1.0, 1.0, 0.0)


@t.examples
@given(rows=ROWS)
def test_keys_of_two_types_are_reported(rows: list[t.Row]) -> None:
    left = t.table(rows)
    right = left.set_column(1, "year", left["year"].cast(pa.string()))
    found = compare_tables(left, right, t.SPEC)
    assert differing(found) == {"only_left": len(rows), "only_right": len(rows), "schema type year": 1}
    assert found.scores == Scores(1.0, 0.0, 0.0)
    assert "another type  year  left int32, right string" in found.describe()


@pytest.mark.parametrize("schema", [EVENTS_SCHEMA, STATE_SCHEMA, t.SCHEMA, pa.schema([])])
def test_empty_tables_are_equal_and_score_one(schema: pa.Schema) -> None:
    spec = {17: EVENTS, 26: STATE}.get(len(schema), t.SPEC)
    found = compare_tables(schema.empty_table(), schema.empty_table(), spec)
    assert (found.equal, found.scores) == (True, Scores())


def test_a_type_that_differs_in_an_empty_table_is_found() -> None:
    other = EVENTS_SCHEMA.set(14, pa.field("level_id", pa.string()))
    found = compare_tables(EVENTS_SCHEMA.empty_table(), other.empty_table(), EVENTS)
    assert (found.equal, found.scores.least) == (False, 0.0)


@pytest.mark.parametrize("name", ["", ".v", "[0]", "a.b", "v_df1", "V", "c0", "日本", "_merge", "left"])
def test_any_column_name(name: str) -> None:
    left = pa.table({"k": [1, 2, 2], "v": [1, 2, 3], name: ["a", "b", None]})
    right = left.take(pa.array([2, 0, 1]))
    spec = TableSpec("any", ("k",), (name,), (name,))
    assert compare_tables(left, right, spec).equal
    found = compare_tables(left, t.with_cell(right, 0, name, "z"), spec)
    assert differing(found) == {f"{name} null_left": 1}
    assert differing(compare_tables(left, right.slice(1), TableSpec("any", (name,)))) == {"only_left": 1}


NESTED = {
    "list": (pa.list_(pa.float64()), [0.0, None], [-0.0, None]),
    "list of NaN": (pa.list_(pa.float64()), [math.nan], [None]),
    "struct": (pa.struct([("a", pa.int64()), ("b", pa.string())]), {"a": 1, "b": "x"}, {"a": 1, "b": None}),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), "x", "y"),
    "binary": (pa.binary(), b"\x00", b""),
    "float32": (pa.float32(), 0.0, math.nan),
    "nanoseconds": (pa.duration("ns"), 1, 2),
    "wide decimal": (pa.decimal256(50, 20), Decimal("0.00000000000000000001"), Decimal(0)),
    "unsigned": (pa.uint64(), 2**64 - 1, 2**64 - 2),
}


@pytest.mark.parametrize("case", NESTED)
def test_any_column_type(case: str) -> None:
    kind, before, after = NESTED[case]
    left = pa.table({"k": [1, 2, 3], "v": pa.array([before, None, after], kind, from_pandas=False)})
    same = pa.concat_tables([left.slice(2), left.slice(0, 2)])
    other = t.with_cell(left, 0, "v", after)
    for spec in (TableSpec("t", ("k",)), TableSpec("t", ("v",))):
        assert compare_tables(left, same, spec).equal
        assert not compare_tables(left, other, spec).equal
    (column,) = compare_tables(left, other, TableSpec("t", ("k",))).columns
    assert (column.column, column.changed) == ("v", 1)


def test_rows_of_one_key_pair_the_same_way_in_any_order() -> None:
    left = pa.table({"k": [1, 1, 1], "v": ["a", "b", "same"], "n": [1, 2, 3]})
    right = pa.table({"k": [1, 1, 1], "v": ["c", "d", "same"], "n": [1, 2, 3]})
    for one, other in itertools.product(itertools.permutations(range(3)), repeat=2):
        found = compare_tables(left.take(pa.array(one)), right.take(pa.array(other)), TableSpec("t", ("k",)))
        assert (differing(found), found.equal_rows) == ({"v value": 2}, 1)
        assert [item.changes for item in found.samples] == [(("v", "a", "c"),), (("v", "b", "d"),)]


def test_half_floats() -> None:
    zero, other = (pa.table({"k": [1], "v": pa.array(np.array([value], np.float16))}) for value in (0.0, -0.0))
    assert differing(compare_tables(zero, other, TableSpec("t", ("k",)))) == {"v zero_sign": 1}


def test_null_is_a_key_like_any_other() -> None:
    left = pa.table({"k": pa.array([None, "a"]), "v": [1, 2]})
    right = pa.table({"k": pa.array(["a", None]), "v": [2, 3]})
    assert differing(compare_tables(left, right, TableSpec("t", ("k",)))) == {"v value": 1}


def test_a_tolerance_covers_what_lies_within_it_only() -> None:
    left = pa.table({"k": [1, 2, 3, 4], "v": [1.0, 2.0, math.nan, None], "n": [1, 2, 3, 4]})
    right = pa.table({"k": [1, 2, 3, 4], "v": [1.01, 2.1, 1.0, 1.0], "n": [1, 2, 3, 5]})
    found = compare_tables(left, right, TableSpec("t", ("k",)), ColumnRules({"v": Decimal("0.02"), "n": Decimal(1)}))
    assert {item.column: (item.changed, item.tolerated) for item in found.columns} == {"v": (3, 1), "n": (0, 1)}
    assert (found.equal, found.accepted, found.equal_rows) == (False, False, 1)
    assert found.used == {("tolerance", "v"), ("tolerance", "n")}
    within = compare_tables(
        left.slice(0, 1), right.slice(0, 1), TableSpec("t", ("k",)), ColumnRules({"v": Decimal("0.02")})
    )
    assert (within.equal, within.accepted, within.scores.least) == (False, True, 1.0)
    assert "equal under the policy" in within.describe()


def test_a_tolerance_includes_its_bound() -> None:
    left, right = pa.table({"k": [1], "v": [1.0]}), pa.table({"k": [1], "v": [1.5]})
    assert compare_tables(left, right, TableSpec("t", ("k",)), ColumnRules({"v": Decimal("0.5")})).accepted
    assert not compare_tables(left, right, TableSpec("t", ("k",)), ColumnRules({"v": Decimal("0.49")})).accepted


def test_a_decimal_tolerance_is_exact() -> None:
    kind = pa.decimal128(38, 2)
    left = pa.table({"k": [1, 2], "v": pa.array([Decimal("99999999999999999999.00")] * 2, kind)})
    right = pa.table(
        {"k": [1, 2], "v": pa.array([Decimal("99999999999999999999.01"), Decimal("99999999999999999999.02")], kind)}
    )
    found = compare_tables(left, right, TableSpec("t", ("k",)), ColumnRules({"v": Decimal("0.01")}))
    assert [(item.changed, item.tolerated) for item in found.columns] == [(1, 1)]


def test_ignored_columns_are_left_out_on_either_side() -> None:
    left = pa.table({"k": [1], "v": [1], "clock": [5]})
    spec, rules = TableSpec("t", ("k",)), ColumnRules(ignored=frozenset({"clock", "host"}))
    other_clock = compare_tables(left, pa.table({"k": [1], "v": [1], "clock": [6]}), spec, rules)
    assert (other_clock.equal, other_clock.accepted, other_clock.used) == (
        False,
        True,
        frozenset({("ignore", "clock")}),
    )
    no_clock = compare_tables(left, pa.table({"k": [1], "v": [1]}), spec, rules)
    assert (no_clock.accepted, no_clock.used) == (True, frozenset({("ignore", "clock")}))
    other_value = compare_tables(left, pa.table({"k": [1], "v": [2], "clock": [5]}), spec, rules)
    assert (other_value.accepted, other_value.used) == (False, frozenset())


def test_a_tolerance_on_text_is_refused() -> None:
    left, right = pa.table({"k": [1], "v": ["a"]}), pa.table({"k": [1], "v": ["b"]})
    with pytest.raises(RuleError, match="a tolerance on column 'v', which is string"):
        compare_tables(left, right, TableSpec("t", ("k",)), ColumnRules({"v": Decimal(1)}))


def test_ssn_are_never_shown() -> None:
    left = pa.table({"k": [1], "employee_ssn": ["123-45-6789"]})
    text = compare_tables(left, t.with_cell(left, 0, "employee_ssn", "987-65-4321"), TableSpec("t", ("k",))).describe()
    assert "employee_ssn" in text
    assert "123" not in text
    assert "987" not in text
