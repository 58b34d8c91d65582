"""Arrow columns built straight from integers: exact decimals, UUID texts, looked-up texts.

Polars would go through its own decimal and string layouts and convert; these write the final buffers once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_UUID_LENGTH = 36
_GROUP_STARTS = (0, 4, 9, 14, 19, 24, 28, 32)
"""Where the eight groups of four digits start in 8-4-4-4-12."""
_HYPHENS = (8, 13, 18, 23)


def decimals(values: pl.Series, kind: pa.Decimal128Type) -> pa.Array:
    """Int64 (or Int32) counts of the decimal's last place, at least 0, as that decimal; nulls stay."""
    size = len(values)
    words = np.zeros((size, 2), np.int64)
    words[:, 0] = values.fill_null(0).to_numpy()
    nulls = values.null_count()
    validity = pa.py_buffer(np.packbits(values.is_not_null().to_numpy(), bitorder="little")) if nulls else None
    return pa.Array.from_buffers(kind, size, [validity, pa.py_buffer(words)], nulls)


def plain(values: pl.Series, kind: pa.DataType) -> pa.Array:
    """A Polars series as one Arrow array of that type."""
    array = values.to_arrow()
    return array if array.type == kind else pc.cast(array, kind)


def looked_up(indices: npt.NDArray[np.integer] | pl.Series, texts: pa.Array) -> pa.Array:
    """The texts at these indices, as strings."""
    array = indices.to_arrow() if isinstance(indices, pl.Series) else pa.array(indices)
    return texts.take(array)


def strings(values: pl.Series | Sequence[str]) -> pa.Array:
    """Texts as an Arrow string array."""
    array = values.to_arrow() if isinstance(values, pl.Series) else pa.array(values, pa.string())
    return pc.cast(array, pa.string())


def uuids(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> pa.Array:
    """The texts 8-4-4-4-12 of these 128-bit numbers, lower case; version and variant bits are the caller's."""
    size = len(high)
    text = np.empty((size, _UUID_LENGTH), np.uint8)
    text[:, _HYPHENS] = ord("-")
    digits = _four_digits()
    for index, start in enumerate(_GROUP_STARTS):
        word, shift = (high, 48 - 16 * index) if index < 4 else (low, 112 - 16 * index)
        text[:, start : start + 4] = digits[((word >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.intp)]
    offsets = np.arange(size + 1, dtype=np.int32) * _UUID_LENGTH
    return pa.Array.from_buffers(pa.string(), size, [None, pa.py_buffer(offsets), pa.py_buffer(text)])


@cache
def _four_digits() -> npt.NDArray[np.uint8]:
    """The four hexadecimal digits of each of 65 536 numbers, as bytes (65536, 4)."""
    nibbles = (np.arange(1 << 16)[:, None] >> np.array([12, 8, 4, 0])) & 15
    digits: npt.NDArray[np.uint8] = np.frombuffer(b"0123456789abcdef", np.uint8)[nibbles]
    return digits


def counts(values: pa.Array | pa.ChunkedArray, name: str) -> pl.Series:
    """The inverse of `decimals`: counts of the last place as Int64; nulls stay."""
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    if not len(values):
        return pl.Series(name, [], dtype=pl.Int64)
    words = np.frombuffer(values.buffers()[1], np.int64)[2 * values.offset : 2 * (values.offset + len(values)) : 2]
    series = pl.Series(name, words)
    if not values.null_count:
        return series
    present = pl.Series("present", values.is_valid().to_numpy(zero_copy_only=False))
    return series.to_frame().select(pl.when(present).then(pl.col(name)).alias(name)).to_series()
