"""Canonical order and content hash of a table, independent of how Arrow happens to lay it out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from differential.comparison.encode import comparable


def canonical_order(table: pa.Table, leading: Sequence[str] = ()) -> pa.Table:
    """The rows sorted by the leading columns, then by all others in schema order, so that the order is total.

    Text by UTF-8 bytes, -0.0 before 0.0, NaN after all numbers, null last. Leading columns that the table lacks are passed
    over. Rows that are equal in every column cannot be told apart, so their order does not matter.
    """
    return table.take(canonical_indices(table, leading))


def canonical_indices(table: pa.Table, leading: Sequence[str] = ()) -> pa.Array:
    """Positions of the rows in canonical order."""
    columns = [comparable(column) for column in table.columns]
    first = [index for name in leading for index in table.schema.get_all_field_indices(name)]
    positions = list(dict.fromkeys([*first, *range(len(columns))]))
    if not positions:
        return pa.array(range(table.num_rows), pa.uint64())
    # sorted under neutral names: Arrow reads a sort key that begins with "." or "[" as a path into nested fields
    keys = pa.table([columns[index] for index in positions], names=[f"c{index}" for index in positions])
    return pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])


def content_hash(table: pa.Table, leading: Sequence[str] = ()) -> str:
    """SHA-256, hexadecimal, of schema and rows in canonical order.

    Equal exactly for equal schemas (dictionary encoding aside) and equal multisets of rows: chunks, slice offsets, what
    lies under nulls and the bits of a NaN make no difference.
    """
    indices = canonical_indices(table, leading)
    digest = hashlib.sha256(f"{table.num_columns} columns, {table.num_rows} rows".encode())
    for field, column in zip(table.schema, table.columns, strict=True):
        for text in (field.name, str(_value_type(field.type))):
            _update(digest, text.encode())
        # one chunk per table row order, not one per chunk of the input
        values = comparable(column).take(indices)
        _update(digest, np.packbits(pc.is_valid(values).to_numpy()).tobytes())
        for part in _bytes_of(values.drop_null()):
            _update(digest, part)
    return digest.hexdigest()


def _update(digest: hashlib._Hash, part: bytes | memoryview) -> None:
    """Add one part behind its length, so that no two lists of parts look alike."""
    digest.update(len(part).to_bytes(8, "little"))
    digest.update(part)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pt.is_dictionary(kind) or pt.is_run_end_encoded(kind) else kind


def _bytes_of(column: pa.ChunkedArray) -> list[bytes | memoryview]:
    """The values of a column without nulls as bytes: the lengths and the text, or the fixed-width values."""
    kind = column.type
    if pt.is_boolean(kind):
        return [np.packbits(column.to_numpy()).tobytes()]
    if pt.is_string(kind) or pt.is_binary(kind) or pt.is_large_string(kind) or pt.is_large_binary(kind):
        lengths = pc.cast(pc.binary_length(column), pa.int64()).to_numpy()
        return [lengths.tobytes(), b"".join(_text_bytes(chunk) for chunk in column.chunks)]
    width = kind.byte_width if pt.is_fixed_size_binary(kind) or pt.is_decimal(kind) else kind.bit_width // 8
    parts = [
        memoryview(chunk.buffers()[1])[chunk.offset * width : (chunk.offset + len(chunk)) * width]
        for chunk in column.chunks
        if len(chunk)
    ]
    return [b"".join(parts)]


def _text_bytes(chunk: pa.Array) -> bytes:
    """What the offsets of one chunk of text or bytes span."""
    if not len(chunk):
        return b""
    _, offsets, data = chunk.buffers()
    wide = pt.is_large_string(chunk.type) or pt.is_large_binary(chunk.type)
    bounds = np.frombuffer(offsets, np.int64 if wide else np.int32)
    start, stop = int(bounds[chunk.offset]), int(bounds[chunk.offset + len(chunk)])
    return bytes(memoryview(data)[start:stop]) if data is not None else b""
