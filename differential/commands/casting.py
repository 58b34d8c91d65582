"""A program's tables in the types of differential/schemas.py: cast where no value changes, and told; else refused by row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

_EXACT_FLOAT = 2**53
_NOISE = 4
"""Units in the last place that a float may be off an amount: libraries convert decimals to floats that are off by one or two."""
_SHOWN = 300


class TableError(ValueError):
    """A table that is not as section 6 of docs/simulation.md says; the message names the file, the column and the row."""


def conform(table: pa.Table, schema: pa.Schema, source: str) -> tuple[pa.Table, list[str]]:
    """The table's columns in the order and types of `schema`, and what had to be done for that, in sentences.

    Raises:
        TableError: a column is missing, has a type that cannot stand for the other, or a value would change.
    """
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        found = ", ".join(table.column_names)
        raise TableError(f"{source}: no column {', '.join(missing)}; it has {found[:_SHOWN] or 'none'}")
    twice = [name for name in schema.names if table.column_names.count(name) > 1]
    if twice:
        raise TableError(f"{source}: column {twice[0]} occurs twice")
    others = [name for name in table.column_names if name not in schema.names]
    notes = [f"{source}: left out {', '.join(others)}, which section 6 does not know"] if others else []
    columns = []
    for field in schema:
        column = table[field.name]
        if column.type != field.type:
            notes.append(f"{source}: {field.name} cast from {column.type} to {field.type}")
            column = _cast(column, field.type, f"{source}: column {field.name}")
        columns.append(column)
    return pa.table(columns, schema=schema), notes


def _cast(column: pa.ChunkedArray, kind: pa.DataType, where: str) -> pa.ChunkedArray:
    given = column.type.value_type if kinds.is_dictionary(column.type) else column.type
    if kinds.is_null(given):
        return column.cast(kind)
    if not _may(given, kind):
        raise TableError(f"{where} is {column.type}, expected {kind}")
    if kinds.is_dictionary(column.type):
        column = column.cast(given)
    cast = _from_floats if kinds.is_floating(given) and kinds.is_decimal(kind) else _checked
    try:
        return cast(column, kind)
    except (pa.ArrowInvalid, ValueError):
        row = _first(column, lambda part: cast(part, kind))
        raise TableError(
            f"{where}, row {row + 1}: {column[row].as_py()!s:.60} ({column.type}) has no equal value as {kind}"
        ) from None


def _may(given: pa.DataType, kind: pa.DataType) -> bool:
    """Whether values of one type can stand for those of the other at all."""
    if kinds.is_string(kind):
        return bool(kinds.is_large_string(given) or kinds.is_string_view(given) or kinds.is_string(given))
    if kinds.is_date(kind):
        return bool(kinds.is_date(given) or (kinds.is_timestamp(given) and given.tz is None))
    number = kinds.is_integer(given) or kinds.is_floating(given)
    return bool((kinds.is_integer(kind) and number) or (kinds.is_decimal(kind) and (number or kinds.is_decimal(given))))


def _checked(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Arrow refuses what overflows or loses digits; a time of day it would drop."""
    done = column.cast(kind)
    if (
        kinds.is_date(kind)
        and not pc.all(pc.equal(done.cast(column.type), column), skip_nulls=True, min_count=0).as_py()
    ):
        raise ValueError("a time of day")
    return done


def _from_floats(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """A float stands for the amount that it is off by no more than the noise of being a float; Arrow would round anything."""
    per_one = 10.0**kind.scale
    floats = column.to_numpy().astype(np.float64)
    null = column.is_null().to_numpy()
    scaled = np.rint(floats * per_one)
    noise = _NOISE * np.spacing(np.abs(np.where(null, 0, floats)))
    exact = (np.abs(scaled) < _EXACT_FLOAT) & (np.abs(scaled / per_one - floats) <= noise)
    if not np.all(exact | null):
        raise ValueError("not an amount")
    values = [
        None if absent else Decimal(int(one)).scaleb(-kind.scale) for one, absent in zip(scaled, null, strict=True)
    ]
    return pa.chunked_array([pa.array(values, kind)])


def _first(column: pa.ChunkedArray, cast: Callable[[pa.ChunkedArray], object]) -> int:
    """The first row that cannot be cast, found by halving."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            cast(column.slice(low, middle - low))
        except (pa.ArrowInvalid, ValueError):
            high = middle
        else:
            low = middle
    return low
