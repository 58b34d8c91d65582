"""The public tables in a DuckDB file, beside other scenarios' rows and other tables. Source: docs/simulation.md, 6 and 7."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import psutil
import pyarrow as pa

from differential.engines.sql.errors import DatabaseError
from differential.engines.sql.simulate import Saved
from differential.run import Run
from differential.schemas import DUCKDB_TYPES, EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA, STATE_TABLE, STATE_VIEW
from fixtures.world import World

_TABLES = {EVENTS_TABLE: EVENTS_SCHEMA, STATE_TABLE: STATE_SCHEMA}


def check(path: Path) -> None:
    """Raise DatabaseError now for a file that could not be written at the end of the run."""
    if not path.exists():
        if not path.parent.is_dir():
            raise DatabaseError(f"{path}: the folder does not exist; make it first")
        return
    with _connect(path) as connection:
        _check_tables(connection, path)


def write(path: Path, worlds: Sequence[World], run: Run, first: int, threads: int) -> None:
    """Replace the worlds' rows of years with index >= first by the run's, in one transaction.

    Raises:
        DatabaseError: nothing was changed.
    """
    with _connect(path, threads) as connection:
        connection.execute("BEGIN TRANSACTION")
        try:
            _create_tables(connection, path)
            connection.register("replaced_in", _pairs(worlds, first))
            for name, table in ((EVENTS_TABLE, run.events), (STATE_TABLE, run.state)):
                connection.execute(
                    f"DELETE FROM {name} USING replaced_in r WHERE {name}.scenario_id = r.scenario_id "
                    f"AND {name}.plan_design_id = r.plan_design_id AND {name}.simulation_year >= r.first_year"
                )
                connection.register("rows_in", table)
                connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM rows_in")
                connection.unregister("rows_in")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def read(path: Path, worlds: Sequence[World], first: int, *, events: bool) -> Saved:
    """The worlds' saved rows before year index `first`: the last year's state and, if asked for, all events."""
    if not path.exists():
        raise DatabaseError(f"{path}: no such file; run the years before index {first} into it first")
    with _connect(path) as connection:
        _check_tables(connection, path, must_exist=True)
        connection.register("saved_in", _pairs(worlds, first))
        state = _select(connection, STATE_TABLE, "t.simulation_year = s.first_year - 1")
        history = _select(connection, EVENTS_TABLE, "t.simulation_year < s.first_year" if events else "false")
    return Saved(state=state, events=history)


def _select(connection: duckdb.DuckDBPyConnection, name: str, years: str) -> pa.Table:
    return connection.sql(
        f"SELECT s.world, t.* FROM {name} t JOIN saved_in s USING (scenario_id, plan_design_id) WHERE {years}"
    ).to_arrow_table()


def _pairs(worlds: Sequence[World], first: int) -> pa.Table:
    scenarios = [world.scenario for world in worlds]
    return pa.table(
        {
            "world": pa.array(np.arange(len(worlds), dtype=np.int32)),
            "scenario_id": pa.array([scenario.scenario_id for scenario in scenarios], pa.string()),
            "plan_design_id": pa.array([scenario.plan_design_id for scenario in scenarios], pa.string()),
            # index 0 stands for all years: an earlier run may have started earlier
            "first_year": pa.array([s.start_year + first if first else 0 for s in scenarios], pa.int32()),
        }
    )


@contextmanager
def _connect(path: Path, threads: int = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file; what goes wrong inside is told as one DatabaseError that names it."""
    try:
        limit = int(psutil.virtual_memory().total * 0.5) >> 20
        connection = duckdb.connect(str(path), config={"threads": str(threads), "memory_limit": f"{limit}MiB"})
        try:
            yield connection
        finally:
            connection.close()
    except (duckdb.Error, OSError) as error:
        raise DatabaseError(f"{path}: {_reason(error)}; the file was left as it was") from error


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if "lock" in text.lower():
        return f"held by another process, close it there and run again ({text[:200]})"
    if "not a valid DuckDB database" in text:
        return "not a DuckDB database file"
    return f"DuckDB cannot use it: {text[:300]}"


def _columns(schema: pa.Schema) -> list[tuple[str, str]]:
    return [(column.name, DUCKDB_TYPES[column.type]) for column in schema]


def _create_tables(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    for name, schema in _TABLES.items():
        columns = ", ".join(f"{column} {kind}" for column, kind in _columns(schema))
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    _check_tables(connection, path)
    connection.execute(f"CREATE OR REPLACE VIEW {STATE_VIEW} AS SELECT * FROM {STATE_TABLE}")


def _check_tables(connection: duckdb.DuckDBPyConnection, path: Path, *, must_exist: bool = False) -> None:
    for name, schema in _TABLES.items():
        found = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position",
            [name],
        ).fetchall()
        if (found or must_exist) and found != _columns(schema):
            raise DatabaseError(
                f"{path}: its table {name} {'has other columns than this suite writes' if found else 'is missing'}; "
                "use another file"
            )
