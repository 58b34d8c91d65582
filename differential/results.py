"""Tables that a run left in a DuckDB file, read back in the project's own types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from differential.schemas import EVENT_ORDER, EVENTS_SCHEMA, EVENTS_TABLE, STATE_ORDER, STATE_SCHEMA, STATE_VIEW


class DatabaseError(RuntimeError):
    """A database file that cannot be read as a run's result; the message names the file and the table."""


def read_database(path: Path, names: Sequence[tuple[str, str]]) -> list[tuple[pa.Table, pa.Table]]:
    """Events and state of each (scenario_id, plan_design_id), in canonical order; the state through its view.

    Types are left as the file has them, text and decimals included, so that a comparison sees a wrong one.

    Raises:
        DatabaseError: no such file or table, or another process holds it.
    """
    if not path.exists():
        raise DatabaseError(f"{path}: no such database file")
    try:
        with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as connection:
            whole = [
                connection.sql(f'SELECT * FROM "{name}" ORDER BY {", ".join(order)}').to_arrow_table()
                for name, order in ((EVENTS_TABLE, EVENT_ORDER), (STATE_VIEW, STATE_ORDER))
            ]
    except duckdb.Error as error:
        raise DatabaseError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error
    events, state = _plain(whole[0], EVENTS_SCHEMA), _plain(whole[1], STATE_SCHEMA)
    return list(zip(_split(events, names), _split(state, names), strict=True))


def _split(table: pa.Table, names: Sequence[tuple[str, str]]) -> list[pa.Table]:
    """The rows of each name; the table is sorted by name, so they lie together."""
    where: dict[tuple[str, str], tuple[int, int]] = {}
    ids = zip(table["scenario_id"].to_pylist(), table["plan_design_id"].to_pylist(), strict=True)
    for row, name in enumerate(ids):
        start, _ = where.get(name, (row, row))
        where[name] = (start, row + 1)
    return [table.slice(start, end - start) for start, end in (where.get(name, (0, 0)) for name in names)]


def _plain(table: pa.Table, expected: pa.Schema) -> pa.Table:
    """Drop nullability and metadata, which say nothing of the values; keep every type that differs."""
    schema = pa.schema([pa.field(field.name, field.type) for field in table.schema])
    table = table.cast(schema)
    return table.cast(expected) if schema.equals(expected) else table
