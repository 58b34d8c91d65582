"""Canonical order and content hash: what they depend on, and what they do not."""

from __future__ import annotations

import math
import random
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.comparison import canonical_order, content_hash
from differential.comparison import testing as t

pytestmark = pytest.mark.suite


@t.examples
@given(t.rows(), st.integers(0, 2**32))
def test_order_and_hash_do_not_depend_on_row_order(rows: list[t.Row], seed: int) -> None:
    table = t.table(rows)
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    other = table.take(pa.array(order, pa.int64()))
    in_order = canonical_order(table, t.SPEC.order)
    assert repr(canonical_order(other, t.SPEC.order).to_pylist()) == repr(in_order.to_pylist())
    assert content_hash(other, t.SPEC.order) == content_hash(table, t.SPEC.order)
    keys = [(row["year"], str(row["id"]).encode()) for row in in_order.to_pylist()]
    assert keys == sorted(keys)


@t.examples
@given(t.rows(), t.rows())
def test_hashes_are_equal_exactly_for_equal_multisets(left_rows: list[t.Row], right_rows: list[t.Row]) -> None:
    left, right = t.table(left_rows), t.table(left_rows[1:] + right_rows[:1])
    assert (content_hash(left) == content_hash(right)) == (t.naive_rows(left) == t.naive_rows(right))


@t.examples
@given(t.rows(min_size=1), st.data())
def test_any_changed_cell_changes_the_hash(rows: list[t.Row], data: st.DataObject) -> None:
    row, values = data.draw(st.integers(0, len(rows) - 1)), data.draw(t.values())
    column = data.draw(st.sampled_from(sorted(values)))
    table = t.table(rows)
    other = t.with_cell(table, row, column, values[column])
    assert (content_hash(other) == content_hash(table)) == (repr(rows[row][column]) == repr(values[column]))


@t.examples
@given(t.rows(min_size=2))
def test_layout_does_not_show(rows: list[t.Row]) -> None:
    table = t.table(rows)
    expected = content_hash(table)
    chunks = pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1)])
    assert content_hash(chunks) == expected
    assert content_hash(pa.concat_tables([table, table]).slice(1, len(rows))) == content_hash(
        t.table(rows[1:] + rows[:1])
    )
    coded = table.set_column(7, "name", table["name"].dictionary_encode())
    assert content_hash(coded) == expected


def test_what_lies_under_nulls_does_not_show() -> None:
    valid = pa.py_buffer(b"\x05")
    hashes = set()
    for garbage in (0, 7):
        numbers = pa.Array.from_buffers(pa.int64(), 3, [valid, pa.py_buffer(np.array([1, garbage, 3]).tobytes())])
        offsets = pa.py_buffer(np.array([0, 1, 1 + garbage, 2 + garbage], np.int32).tobytes())
        texts = pa.Array.from_buffers(pa.string(), 3, [valid, offsets, pa.py_buffer(b"a" + b"#" * garbage + b"b")])
        bools = pa.Array.from_buffers(pa.bool_(), 3, [valid, pa.py_buffer(bytes([garbage & 2 | 1]))])
        hashes.add(content_hash(pa.table({"n": numbers, "s": texts, "b": bools})))
    assert len(hashes) == 1


def test_one_nan_whatever_its_bits_but_two_zeros() -> None:
    bits = [
        struct.unpack("<d", struct.pack("<Q", word))[0] for word in (0x7FF8 << 48, 0xFFF8 << 48, (0x7FF8 << 48) + 1)
    ]
    assert len({content_hash(pa.table({"v": pa.array(np.array([nan]))})) for nan in bits}) == 1
    assert content_hash(pa.table({"v": [0.0]})) != content_hash(pa.table({"v": [-0.0]}))
    assert content_hash(pa.table({"v": [math.nan]})) != content_hash(pa.table({"v": pa.array([None], pa.float64())}))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": ["x", ""]}, {"a": ["", "x"], "b": ["", ""]}),
        ({"a": ["xy"], "b": ["z"]}, {"a": ["x"], "b": ["yz"]}),
        ({"a": [1], "b": [2]}, {"b": [1], "a": [2]}),
        ({"a": ["x", "yz"]}, {"a": ["xy", "z"]}),
        ({"a": [1, 2], "b": [None, "x"]}, {"a": [1, 2], "b": ["x", None]}),
        ({"a": [1]}, {"a": pa.array([1], pa.uint64())}),
        ({"a": [1]}, {"a": [1.0]}),
        ({"a": [True]}, {"a": [1]}),
        ({"a": [[1], [2, 3]]}, {"a": [[1, 2], [3]]}),
        ({"a": []}, {"b": []}),
    ],
)
def test_tables_that_differ_have_other_hashes(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert content_hash(pa.table(left)) != content_hash(pa.table(right))


def test_floats_sort_with_both_zeros_nan_and_null_in_their_places() -> None:
    values = [None, math.nan, math.inf, 1.0, 0.0, -0.0, -1.0, -math.inf]
    table = canonical_order(pa.table({"v": pa.array(values, pa.float64(), from_pandas=False)}))
    assert repr(table["v"].to_pylist()) == repr(values[::-1])


def test_order_without_columns_or_with_unknown_leading_ones() -> None:
    assert canonical_order(pa.table({}), ("x",)).num_rows == 0
    assert canonical_order(pa.table({".v": [2, 1], "[0]": [1, 2]}), ("x", "[0]"))[".v"].to_pylist() == [2, 1]
