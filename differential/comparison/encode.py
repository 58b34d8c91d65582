"""Columns in a form in which Arrow's own equality, order and hashing are exact.

Arrow says 0.0 equals -0.0, NaN differs from NaN, and can neither sort nor hash nested values. Here every column becomes one
of plain numbers, text, bytes, dates or decimals, with equal values exactly where the originals are equal.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

_QUIET_NAN = 0x7FF8_0000_0000_0000
_MAGNITUDE = 0x7FFF_FFFF_FFFF_FFFF


def comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column with types whose equality, order and hash are exact; most columns come back as they are.

    Dictionaries and run ends are decoded. Floats become their bits as int64, in the floats' order with -0.0 before 0.0 and
    any NaN last as one value. Nested values become text, since they are rare and need only be right.
    """
    kind = column.type
    if is_plain(kind):
        return column
    if pt.is_dictionary(kind):
        return comparable(column.cast(kind.value_type))
    if pt.is_floating(kind):
        return _ordered_bits(column)
    if pt.is_null(kind):
        return pa.chunked_array([pa.nulls(len(column), pa.int8())])
    if pt.is_run_end_encoded(kind):
        chunks = [pc.run_end_decode(chunk) for chunk in column.chunks]
        return comparable(pa.chunked_array(chunks, kind.value_type))
    if isinstance(kind, pa.BaseExtensionType):
        return comparable(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    return _as_text(column)


def is_plain(kind: pa.DataType) -> bool:
    """Whether Arrow compares, sorts and hashes this type exactly as it is."""
    return bool(
        pt.is_integer(kind)
        or pt.is_boolean(kind)
        or pt.is_string(kind)
        or pt.is_large_string(kind)
        or pt.is_binary(kind)
        or pt.is_large_binary(kind)
        or pt.is_fixed_size_binary(kind)
        or pt.is_decimal128(kind)
        or pt.is_date(kind)
        or pt.is_time(kind)
        or pt.is_timestamp(kind)
        or pt.is_duration(kind)
    )


def _ordered_bits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Float64 bits as int64 in the order of the floats (negative numbers have their magnitude bits turned round)."""
    wide = column.cast(pa.float64())
    bits = pa.chunked_array([chunk.view(pa.int64()) for chunk in wide.chunks], pa.int64())
    bits = pc.if_else(pc.is_nan(wide), pa.scalar(_QUIET_NAN, pa.int64()), bits)
    # not by an arithmetic shift: Arrow's shift_right returns its input for a distance of 63
    return pc.if_else(pc.less(bits, 0), pc.bit_wise_xor(bits, pa.scalar(_MAGNITUDE, pa.int64())), bits)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """One text per value. Within one type, Python's repr of nested lists, mappings and scalars tells unequal values apart."""
    texts = [None if value is None else repr(value) for chunk in column.chunks for value in chunk.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.large_string())])
