"""The long report of a pair of tables that differ, by datacompy, the same to the byte each time. It prints; it never judges."""

from __future__ import annotations

import pyarrow as pa

from differential.comparison.verdict import TableSpec

MAX_REPORT = 20_000


def long_report(
    left: pa.Table,
    right: pa.Table,
    spec: TableSpec,
    names: tuple[str, str] = ("left", "right"),
    limit: int = MAX_REPORT,
) -> str:
    """Our exact findings, the numeric differences, then datacompy's report, cut to `limit` characters.

    The tables are copied first, since datacompy renames columns in place. Where datacompy cannot compare (key types that
    differ, column names that collide with its own) the report says so.
    """
    raise NotImplementedError
