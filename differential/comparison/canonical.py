"""Canonical order and content hash of a table, independent of how Arrow happens to lay it out."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa


def canonical_order(table: pa.Table, leading: Sequence[str] = ()) -> pa.Table:
    """The rows sorted by the leading columns, then by all others in schema order, so that the order is total.

    Text by UTF-8 bytes, -0.0 before 0.0, NaN after all numbers, null last. Leading columns that the table lacks are passed over.
    """
    raise NotImplementedError


def content_hash(table: pa.Table, leading: Sequence[str] = ()) -> str:
    """SHA-256, hexadecimal, of schema and rows in canonical order.

    Equal exactly for equal schemas (dictionary encoding aside) and equal multisets of rows: chunks, slice offsets, what
    lies under nulls and the bits of a NaN make no difference.
    """
    raise NotImplementedError
