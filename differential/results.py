"""Tables that a run left in a DuckDB file, read back in the project's own types."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from differential.schemas import EVENT_ORDER, EVENTS_SCHEMA, EVENTS_TABLE, STATE_ORDER, STATE_SCHEMA, STATE_VIEW


class DatabaseError(RuntimeError):
    """A database file that cannot be read as a run's result; the message names the file and the table."""


def read_database(path: Path, scenario_id: str, plan_design_id: str) -> tuple[pa.Table, pa.Table]:
    """Events and state of one scenario and plan, in canonical order; the state through its view.

    Types are left as the file has them, text and decimals included, so that a comparison sees a wrong one.

    Raises:
        DatabaseError: no such file or table, or another process holds it.
    """
    if not path.exists():
        raise DatabaseError(f"{path}: no such database file")
    try:
        with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as connection:
            tables = [
                connection.execute(
                    f'SELECT * FROM "{name}" WHERE scenario_id = ? AND plan_design_id = ? ORDER BY {", ".join(order)}',
                    [scenario_id, plan_design_id],
                ).to_arrow_table()
                for name, order in ((EVENTS_TABLE, EVENT_ORDER), (STATE_VIEW, STATE_ORDER))
            ]
    except duckdb.Error as error:
        raise DatabaseError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error
    return _plain(tables[0], EVENTS_SCHEMA), _plain(tables[1], STATE_SCHEMA)


def _plain(table: pa.Table, expected: pa.Schema) -> pa.Table:
    """Drop nullability and metadata, which say nothing of the values; keep every type that differs."""
    schema = pa.schema([pa.field(field.name, field.type) for field in table.schema])
    table = table.cast(schema)
    return table.cast(expected) if schema.equals(expected) else table
