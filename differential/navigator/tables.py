"""Its tables in our schemas: names mapped, types cast, clocks dropped, and a record of everything that was changed on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from differential.mapping import MAPPINGS, Mapped, OutsideError, TableMapping, load_mapping, open_tables, read_mapped
from differential.schemas import (
    DUCKDB_TYPES,
    EVENT_ORDER,
    EVENTS_SCHEMA,
    EVENTS_TABLE,
    MONEY,
    RATE,
    STATE_ORDER,
    STATE_SCHEMA,
    STATE_TABLE,
)
from fixtures.world import World

MAPPING = MAPPINGS / "planwise_navigator.yaml"
ENROLLMENT, DEFERRAL = "int_enrollment_state_accumulator", "int_deferral_rate_state_accumulator_v2"
STATE_BY_YEAR, CONTRIBUTIONS, MATCHES = (
    "int_employee_state_by_year",
    "int_employee_contributions",
    "fct_employer_match_events",
)
NEEDS = "int_workforce_needs"
KEPT = (
    EVENTS_TABLE,
    STATE_TABLE,
    ENROLLMENT,
    DEFERRAL,
    "int_deferral_escalation_state_accumulator",
    STATE_BY_YEAR,
    CONTRIBUTIONS,
    MATCHES,
    "stg_census_data",
    NEEDS,
)
"""Its tables that are read; the rest of its database goes with the working copy."""
CLOCKS = frozenset(
    {
        "created_at", "snapshot_created_at", "updated_at", "last_updated", "calculated_at", "calculation_timestamp", "resolved_at",
        "processed_at", "audit_timestamp", "workforce_needs_id", "dbt_invocation_id",
    }
)  # fmt: skip
"""Columns that hold the wall clock or a random id: dropped when tables are kept."""
_ROUNDED = {MONEY: 2, RATE: 4}
_JOINED = {
    "has_opted_out": (ENROLLMENT, "ever_opted_out"),
    "account_balance": (STATE_BY_YEAR, "account_balance"),
}
"""Columns of ours that its snapshot lacks, and the table and column that have them."""


def keep_tables(database: Path, folder: Path) -> None:
    """Copy what is read of its database to Parquet, without clocks; rows in the order of their keys.

    Raises:
        OutsideError: no such file, or it lacks the events or the snapshot.
    """
    if not database.is_file():
        raise OutsideError(f"{database.name}: it left no database there")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with duckdb.connect(str(database), read_only=True, config={"threads": 1}) as connection:
            there = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
            missing = [name for name in (EVENTS_TABLE, STATE_TABLE) if name not in there]
            if missing:
                raise OutsideError(f"{database.name}: it left no table {' and no table '.join(missing)}")
            for name in KEPT:
                if name in there:
                    _copy_table(connection, name, folder / f"{name}.parquet")
    except duckdb.Error as error:
        raise OutsideError(f"{database.name}: cannot be read: {str(error).splitlines()[0]:.300}") from None


def read_run(folder: Path, world: World) -> tuple[pa.Table, pa.Table, list[str]]:
    """Events and state in our schemas and order, under the world's names, and notes on all that was normalised.

    Raises:
        OutsideError: a table is missing, or a column that cannot be read as its type.
    """
    notes: list[str] = []
    with open_tables(folder) as connection:
        mapped = _with_joined(connection, load_mapping(MAPPING))
        tables = []
        for mapping, schema, order in (
            (mapped.events, EVENTS_SCHEMA, EVENT_ORDER),
            (mapped.state, STATE_SCHEMA, STATE_ORDER),
        ):
            table = read_mapped(connection, folder, mapping, schema, notes)
            notes += _normalised(connection, mapping, schema)
            tables.append(_named(_whole(table, schema), world, order, notes))
    return tables[0], tables[1], notes


def raw_events(folder: Path) -> pa.Table:
    """The columns of its event table that tell where rows come from."""
    with open_tables(folder) as connection:
        names = {row[0] for row in connection.execute(f'DESCRIBE "{EVENTS_TABLE}"').fetchall()}
        wanted = [name for name in ("simulation_year", "parameter_source") if name in names]
        return connection.sql(f'SELECT {", ".join(wanted)} FROM "{EVENTS_TABLE}"').to_arrow_table()


def planned_people(folder: Path) -> dict[str, int]:
    """Hires and exits that its own quota table planned, over all years; empty where the table is not there."""
    file = folder / f"{NEEDS}.parquet"
    if not file.is_file():
        return {}
    columns = {
        "hires": "total_hires_needed",
        "exits": "expected_experienced_terminations",
        "new_hire_exits": "expected_new_hire_terminations",
    }
    with open_tables(folder) as connection:
        sums = ", ".join(f"COALESCE(SUM({column}), 0)::BIGINT" for column in columns.values())
        found = connection.execute(f'SELECT {sums} FROM "{NEEDS}"').fetchone()
    return dict(zip(columns, found or (), strict=True))


def _copy_table(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    columns = [row[0] for row in connection.execute(f'DESCRIBE "{name}"').fetchall()]
    kept = [column for column in columns if column not in CLOCKS]
    keys = [column for column in ("simulation_year", "employee_id", "event_type", "event_sequence") if column in kept]
    order = f" ORDER BY {', '.join(keys)}" if keys else ""
    selected = ", ".join(f'"{column}"' for column in kept)
    target = str(file).replace("'", "''")
    connection.execute(f"COPY (SELECT {selected} FROM \"{name}\"{order}) TO '{target}' (FORMAT parquet)")


def _with_joined(connection: duckdb.DuckDBPyConnection, mapped: Mapped) -> Mapped:
    there = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
    joined = {
        name: f'(SELECT MAX(o."{column}") FROM "{table}" o WHERE o.employee_id = "{STATE_TABLE}".employee_id '
        f'AND o.simulation_year = "{STATE_TABLE}".simulation_year)'
        for name, (table, column) in _JOINED.items()
        if table in there
    }
    return replace(mapped, state=replace(mapped.state, columns={**mapped.state.columns, **joined}))


def _normalised(connection: duckdb.DuckDBPyConnection, mapping: TableMapping, schema: pa.Schema) -> Iterator[str]:
    """Casts, and columns that no column of ours is made of."""
    theirs = {row[0]: row[1] for row in connection.execute(f'DESCRIBE "{mapping.table}"').fetchall()}
    exact = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        source = mapping.columns.get(name, name)
        if source in theirs and theirs[source] != DUCKDB_TYPES[kind]:
            changed = _changed_by_cast(connection, mapping.table, source, theirs[source], kind)
            if changed:
                yield f"{mapping.table}.{source} {theirs[source]} read as {name} {DUCKDB_TYPES[kind]}: {changed}"
            else:
                exact.append(f"{source} {theirs[source]}")
    if exact:
        yield f"{mapping.table}: cast to our types without changing a value: {', '.join(exact)}"
    made_of = " ".join([*schema.names, *mapping.columns.values()])
    left = [name for name in theirs if name not in made_of]
    for what, names in (
        ("clocks and random ids dropped", [name for name in left if name in CLOCKS]),
        ("not compared", [name for name in left if name not in CLOCKS]),
    ):
        if names:
            yield f"{mapping.table}: {what}: {', '.join(names)}"


def _changed_by_cast(
    connection: duckdb.DuckDBPyConnection, table: str, source: str, theirs: str, kind: pa.DataType
) -> str | None:
    """What a cast does to values, in words; None where it changes none. Float noise below 1e-9 of a value is no change."""
    if theirs.startswith("TIMESTAMP"):
        query = f'SELECT COUNT(*) FILTER ("{source}"::DATE::TIMESTAMP <> "{source}"), 0 FROM "{table}"'
        told = "a time of day dropped"
    elif kind in _ROUNDED or kind == pa.int32():
        exact = f'"{source}"::DOUBLE'
        by = f"ABS(ROUND({exact}, {_ROUNDED.get(kind, 0)}) - {exact})"
        query = f'SELECT COUNT(*) FILTER ({by} > 1e-9 * (1 + ABS({exact}))), MAX({by}) FROM "{table}"'
        told = "rounded"
    else:
        return None
    changed, most = connection.execute(query).fetchone() or (0, 0)
    return f"{changed} rows {told}" + (f", by at most {most:.2g}" if most else "") if changed else None


def _whole(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """All columns of ours; null where its tables have none."""
    return pa.table(
        [
            table[field.name] if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
            for field in schema
        ],
        schema=schema,
    )


def _named(table: pa.Table, world: World, order: Sequence[str], notes: list[str]) -> pa.Table:
    """Under the scenario and plan of the world: its own names come from its code, whatever is asked."""
    names: Mapping[str, str] = {
        "scenario_id": world.scenario.scenario_id,
        "plan_design_id": world.scenario.plan_design_id,
    }
    for column, name in names.items():
        theirs = [value for value in pc.unique(table[column]).to_pylist() if value != name]
        if theirs:
            note = f"{column} {', '.join(map(str, theirs))} read as {name}"
            notes.extend([] if note in notes else [note])
        at = table.column_names.index(column)
        table = table.set_column(at, table.schema.field(at), pa.array([name] * table.num_rows, pa.string()))
    return table.sort_by([(column, "ascending") for column in order]).combine_chunks()
