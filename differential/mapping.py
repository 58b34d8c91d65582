"""Tables of another system under our names: a mapping file, and reading what it names from a DuckDB file or a folder of Parquet.

A mapping file (YAML); every key is optional:

    events:
      table: fct_yearly_events
      columns: {event_date: effective_date, event_type: lower(event_type)}     # ours: theirs, any DuckDB expression
    state:
      table: fct_workforce_snapshot
      columns: {is_active: employment_status = 'active', scenario_id: "'default'"}

A column that is not mapped is taken under our own name; one that is in neither place is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from differential.schemas import DUCKDB_TYPES, EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA, STATE_TABLE
from fixtures.strict_yaml import load_yaml

MAPPINGS = Path(__file__).with_name("mappings")
"""Mapping files of public systems."""


class OutsideError(ValueError):
    """Tables or a mapping that cannot be used; the message names file, table, column or key."""


@dataclass(frozen=True)
class TableMapping:
    """Where one of our tables is found. columns: our column to a DuckDB expression over theirs."""

    table: str
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapped:
    """Both tables' mappings; the default is our own names."""

    events: TableMapping = TableMapping(EVENTS_TABLE)
    state: TableMapping = TableMapping(STATE_TABLE)


def load_mapping(path: Path) -> Mapped:
    """Read a mapping file. Raises OutsideError naming file and key."""
    data = load_yaml(path, OutsideError)
    top = _keys(path, "the file", data, ("events", "state"))
    return Mapped(
        _table_mapping(path, "events", top.get("events"), EVENTS_TABLE, EVENTS_SCHEMA),
        _table_mapping(path, "state", top.get("state"), STATE_TABLE, STATE_SCHEMA),
    )


def open_tables(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a DuckDB file, or to a folder whose Parquet files are its tables. Raises OutsideError."""
    try:
        if path.is_file():
            return duckdb.connect(str(path), read_only=True, config={"threads": 2})
        connection = duckdb.connect(config={"threads": 2})
        for file in sorted(path.glob("*.parquet")):
            name = file.stem.replace('"', '""')
            connection.execute(
                f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet(?)'.replace("?", _quoted(str(file)))
            )
    except duckdb.Error as error:
        raise OutsideError(f"{path}: cannot be read: {str(error).splitlines()[0]:.300}") from None
    return connection


def read_mapped(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: TableMapping, schema: pa.Schema, notes: list[str]
) -> pa.Table:
    """One table under our names and in our types; what is missing is told in `notes`. Raises OutsideError."""
    try:
        theirs = [row[0] for row in connection.execute(f'DESCRIBE "{mapping.table}"').fetchall()]
    except duckdb.Error:
        known = sorted(row[0] for row in connection.execute("SHOW TABLES").fetchall())
        raise OutsideError(f"{path}: no table {mapping.table}; there is {', '.join(known)[:300] or 'none'}") from None
    wanted = {
        name: mapping.columns.get(name, f'"{name}"')
        for name in schema.names
        if name in mapping.columns or name in theirs
    }
    missing = [name for name in schema.names if name not in wanted]
    if missing:
        notes.append(f"{mapping.table} has no {', '.join(missing)}; what needs them is not checked")
    columns = {
        name: _column(connection, path, mapping.table, name, text, schema.field(name).type)
        for name, text in wanted.items()
    }
    return pa.table(columns)


def _column(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, name: str, text: str, kind: pa.DataType
) -> pa.ChunkedArray:
    try:
        read = connection.sql(f'SELECT CAST(({text}) AS {DUCKDB_TYPES[kind]}) AS value FROM "{table}"').to_arrow_table()
    except duckdb.ConversionException as error:
        raise OutsideError(f"{path}: {table}.{name}: not a {DUCKDB_TYPES[kind]}: {_first_line(error)}") from None
    except duckdb.Error as error:
        raise OutsideError(f"{path}: {table}.{name}: `{text}` cannot be evaluated: {_first_line(error)}") from None
    return read["value"].cast(kind)


def _table_mapping(path: Path, key: str, data: object, table: str, schema: pa.Schema) -> TableMapping:
    given = _keys(path, key, data, ("table", "columns"))
    columns = _keys(path, f"{key}.columns", given.get("columns"), tuple(schema.names))
    for name, text in columns.items():
        if not isinstance(text, str) or not text.strip():
            raise OutsideError(f"{path}: {key}.columns.{name}: expected a column or an expression, got {text!r:.60}")
    name = given.get("table", table)
    if not isinstance(name, str) or '"' in name:
        raise OutsideError(f"{path}: {key}.table: expected a table's name, got {name!r:.60}")
    return TableMapping(name, columns)


def _keys(path: Path, key: str, data: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise OutsideError(f"{path}: {key}: expected keys and values, got {data!r:.60}")
    for name in data:
        if name not in known:
            raise OutsideError(f"{path}: {key}: unknown key {name!r:.60}: expected {', '.join(known)}")
    return data


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return " ".join(str(error).splitlines()[0].split())[:300]
