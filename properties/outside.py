"""Tables that another system left: a DuckDB file or a folder of Parquet, under a mapping of its names to ours.

A mapping file (YAML); every key is optional:

    events:
      table: fct_yearly_events
      columns: {event_date: effective_date, event_type: lower(event_type)}     # ours: theirs, any DuckDB expression
    state:
      table: fct_workforce_snapshot
      columns: {is_active: employment_status = 'active', scenario_id: "'default'"}

A column that is not mapped is taken under our own name; one that is in neither place is missing, and what needs it is not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from differential.run import Run, WorldResult
from differential.schemas import DUCKDB_TYPES, EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA, STATE_TABLE
from fixtures.census import Census
from fixtures.scenario import Scenario
from fixtures.strict_yaml import load_yaml
from fixtures.world import World
from properties.invariants import Tables
from properties.invariants.schema import conform

_NAMES = ("scenario_id", "plan_design_id")


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


@dataclass(frozen=True)
class Outside:
    """What was read: the tables as invariants take them, and notes for people on what was left out or converted."""

    path: Path
    tables: Tables
    notes: tuple[str, ...]

    def results(self) -> list[WorldResult]:
        """Each scenario's tables with the columns of section 6, null where they are missing."""
        events, state = conform(self.tables.events, EVENTS_SCHEMA)[0], conform(self.tables.state, STATE_SCHEMA)[0]
        return list(Run(events, state, bounds=tuple(self.tables.bounds)).results())


def load_mapping(path: Path) -> Mapped:
    """Read a mapping file. Raises OutsideError naming file and key."""
    data = load_yaml(path, OutsideError)
    top = _keys(path, "the file", data, ("events", "state"))
    return Mapped(
        _table_mapping(path, "events", top.get("events"), EVENTS_TABLE, EVENTS_SCHEMA),
        _table_mapping(path, "state", top.get("state"), STATE_TABLE, STATE_SCHEMA),
    )


def load_results(path: Path, mapped: Mapped, census: Census | None = None, scenario: Scenario | None = None) -> Outside:
    """Read both tables; rows of each scenario and plan are judged as a run of their own.

    Money is rounded to cents and rates to four decimals, as our types have them. scenario: needs a census.

    Raises:
        OutsideError: no such file or table, or a column that cannot be read as its type.
    """
    if not path.exists():
        raise OutsideError(f"{path}: no such file or folder; expected a DuckDB file or a folder of Parquet files")
    notes: list[str] = []
    with _open(path) as connection:
        events = _read(connection, path, mapped.events, EVENTS_SCHEMA, notes)
        state = _read(connection, path, mapped.state, STATE_SCHEMA, notes)
    if "simulation_year" not in state.column_names or not state.num_rows:
        raise OutsideError(f"{path}: {mapped.state.table} has no rows with a simulation_year; nothing can be checked")
    return Outside(path, _tables(events, state, census, scenario, notes), tuple(notes))


def _open(path: Path) -> duckdb.DuckDBPyConnection:
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


def _read(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: TableMapping, schema: pa.Schema, notes: list[str]
) -> pa.Table:
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


def _tables(
    events: pa.Table, state: pa.Table, census: Census | None, scenario: Scenario | None, notes: list[str]
) -> Tables:
    events, state, names = _by_name(events, state)
    counts = [np.bincount(table["world"].to_numpy(), minlength=len(names)).tolist() for table in (events, state)]
    bounds = list(zip(*counts, strict=True))
    if len(names) > 1:
        notes.append(f"{len(names)} scenarios, each judged as a run of its own: {_listed(names)}")
    events, state = (table.drop_columns("world") for table in (events, state))
    if scenario is not None:
        if census is None:
            raise OutsideError("--scenario with --results needs --census: the rules say nothing without the people")
        worlds = [World(census, scenario.model_copy(update=dict(zip(_NAMES, name, strict=True)))) for name in names]
        return Tables(events, state, bounds, worlds)
    position, years = 0, []
    for _, rows in bounds:
        found = pc.min_max(state["simulation_year"].slice(position, rows)).as_py()
        years.append((found["min"], found["max"]) if rows else (0, -1))
        position += rows
    people = None if census is None else census.table
    if people is not None and len(names) > 1:
        raise OutsideError(
            f"--census with --results needs tables of one scenario and plan, these have {len(names)}: {_listed(names)}"
        )
    return Tables(events, state, bounds, years=years, census=people)


def _by_name(events: pa.Table, state: pa.Table) -> tuple[pa.Table, pa.Table, list[tuple[str, str]]]:
    """Both tables sorted by scenario and plan, with an index `world` of these."""
    keys = [_names_of(table) for table in (events, state)]
    names = sorted(set(keys[0]) | set(keys[1]))
    where = {name: index for index, name in enumerate(names)}
    parts = []
    for table, key in zip((events, state), keys, strict=True):
        world = np.fromiter((where[name] for name in key), np.int32, len(key))
        parts.append(table.append_column("world", pa.array(world)).take(pa.array(np.argsort(world, kind="stable"))))
    return parts[0], parts[1], names


def _names_of(table: pa.Table) -> list[tuple[str, str]]:
    columns = [
        table[name].to_pylist()
        if name in table.column_names
        else ["default" if name == "scenario_id" else "main"] * table.num_rows
        for name in _NAMES
    ]
    return [(str(scenario), str(plan)) for scenario, plan in zip(*columns, strict=True)]


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


def _listed(names: list[tuple[str, str]]) -> str:
    return ", ".join("/".join(name) for name in names)[:300]
