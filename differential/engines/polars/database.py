"""The public tables in a DuckDB file: replaced in one transaction, read back to go on. DuckDB does nothing else here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from differential.schemas import DUCKDB_TYPES, EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA, STATE_TABLE, STATE_VIEW
from fixtures.world import World

_TABLES = ((EVENTS_TABLE, EVENTS_SCHEMA), (STATE_TABLE, STATE_SCHEMA))


class DatabaseError(RuntimeError):
    """A database file that cannot be opened, read or written; the message names it. Its content is as it was."""


def check(path: Path) -> None:
    """Refuse early, before anything is simulated, a file that could not be written at the end."""
    if not path.parent.is_dir():
        raise DatabaseError(f"{path}: the folder {path.parent} does not exist; create it first")
    if path.exists():
        with _open(path, "opened") as connection:
            _check_columns(connection, path)


def replace(path: Path, worlds: Sequence[World], first: int, events: pa.Table, state: pa.Table, threads: int) -> None:
    """Replace the worlds' rows from year offset `first` on by these (all their rows where it is 0), all or nothing.

    Rows of other scenarios, of earlier years and other tables stay.

    Raises:
        DatabaseError: another process holds the file, it is no DuckDB file, the disk is full, a table has other columns.
    """
    with _open(path, "written") as connection:
        connection.execute(f"SET threads TO {threads}")
        connection.execute("BEGIN TRANSACTION")
        try:
            for table, schema in _TABLES:
                columns = ", ".join(f"{field.name} {DUCKDB_TYPES[field.type]}" for field in schema)
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
            _check_columns(connection, path)
            connection.execute(f"CREATE OR REPLACE VIEW {STATE_VIEW} AS SELECT * FROM {STATE_TABLE}")
            connection.register("replaced", _keys(worlds, first))
            for (table, _), rows in zip(_TABLES, (events, state), strict=True):
                connection.execute(
                    f"DELETE FROM {table} USING replaced WHERE {table}.scenario_id = replaced.scenario_id "
                    f"AND {table}.plan_design_id = replaced.plan_design_id AND {table}.simulation_year >= replaced.first_year"
                )
                connection.register("incoming", rows)
                connection.execute(f"INSERT INTO {table} SELECT * FROM incoming")
                connection.unregister("incoming")
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise


def read(
    path: Path, worlds: Sequence[World], first: int, threads: int, *, events: bool
) -> tuple[pa.Table | None, pa.Table]:
    """What a run goes on from at year offset `first`: all earlier events (if asked), and the state of the year before.

    Both tables start with the column `world`, the index into `worlds`.
    """
    if not path.exists():
        raise DatabaseError(f"{path}: no such file; the years before offset {first} must be run into it first")
    with _open(path, "read") as connection:
        connection.execute(f"SET threads TO {threads}")
        _check_columns(connection, path)
        connection.register("wanted", _keys(worlds, first))
        select = (
            "SELECT wanted.world, saved.* FROM {table} AS saved JOIN wanted ON saved.scenario_id = wanted.scenario_id AND "
            "saved.plan_design_id = wanted.plan_design_id AND saved.simulation_year {years}"
        )
        try:
            before = select.format(table=EVENTS_TABLE, years="< wanted.first_year")
            at_end = select.format(table=STATE_TABLE, years="= wanted.first_year - 1")
            history = connection.sql(before).to_arrow_table() if events else None
            return history, connection.sql(at_end).to_arrow_table()
        except duckdb.CatalogException:
            raise DatabaseError(
                f"{path}: has no table {EVENTS_TABLE} or {STATE_TABLE}; the years before offset {first} must be run into it first"
            ) from None


def _keys(worlds: Sequence[World], first: int) -> pa.Table:
    scenarios = [world.scenario for world in worlds]
    return pa.table(
        {
            "world": np.arange(len(worlds), dtype=np.int32),
            "scenario_id": pa.array([scenario.scenario_id for scenario in scenarios], pa.string()),
            "plan_design_id": pa.array([scenario.plan_design_id for scenario in scenarios], pa.string()),
            # offset 0 stands for all years: an earlier run may have started earlier
            "first_year": np.array([scenario.start_year + first if first else 0 for scenario in scenarios], np.int32),
        }
    )


@contextmanager
def _open(path: Path, action: str) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(str(path))
        try:
            yield connection
        finally:
            connection.close()
    except (duckdb.Error, OSError) as error:
        reason = " ".join(str(error).split())[:400]
        raise DatabaseError(f"{path}: the database cannot be {action}, nothing in it was changed: {reason}") from error


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # a failed commit has ended the transaction already
        connection.execute("ROLLBACK")


def _check_columns(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse tables of these names that are not ours: an insert by position would fill the wrong columns."""
    query = (
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ? "
        "AND table_catalog = current_database() AND table_schema = current_schema() ORDER BY ordinal_position"
    )
    for table, schema in _TABLES:
        found = connection.execute(query, [table]).fetchall()
        expected = [(field.name, DUCKDB_TYPES[field.type]) for field in schema]
        if found and found != expected:
            odd = next((pair[0] for pair in found if pair not in expected), found[-1][0])
            raise DatabaseError(
                f"{path}: table {table} has other columns than this version writes (first: {odd}); use another file"
            )
