"""The database's tables: looked at, and emptied of what is to be rebuilt."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from properties.outside import Mapped, TableMapping


class TablesError(RuntimeError):
    """A database that cannot be used as asked; the message names file and table. It was not changed."""


@dataclass(frozen=True)
class Names:
    """Which tables are rebuilt: events and state under a mapping; others that the rebuild writes too have to be there, no more.

    scenario: only the rows of this (scenario_id, plan_design_id) are rebuilt.
    """

    mapped: Mapped
    others: tuple[str, ...] = ()
    scenario: tuple[str, str] | None = None

    @property
    def tables(self) -> tuple[TableMapping, TableMapping]:
        return (self.mapped.events, self.mapped.state)


@contextlib.contextmanager
def opened(path: Path, *, write: bool = False, threads: int = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection; whatever goes wrong inside is told as TablesError."""
    try:
        connection = duckdb.connect(str(path), read_only=not write, config={"threads": str(threads)})
        try:
            connection.execute("SET enable_progress_bar = false")
            yield connection
        finally:
            connection.close()
    except duckdb.Error as error:
        raise TablesError(reason(path, error)) from None


def reason(path: Path, error: duckdb.Error) -> str:
    """What DuckDB says, for people."""
    text = " ".join(str(error).split())
    if "lock" in text.lower():
        return f"{path}: held by another process; close it there and run again ({text[:200]})"
    if "not a valid DuckDB database" in text:
        return f"{path}: not a DuckDB database file"
    return f"{path}: DuckDB cannot use it: {text[:300]}"


def write_ahead_log(database: Path) -> Path | None:
    """The log that DuckDB left beside a database that was not closed; None where there is none or it is empty."""
    log = database.with_name(f"{database.name}.wal")
    return log if log.exists() and log.stat().st_size else None


def fold_in_log(database: Path) -> None:
    """Do what DuckDB does at the next opening for writing: bring the log into the file. Raises TablesError."""
    with opened(database, write=True) as connection:
        connection.execute("CHECKPOINT")


def empty(database: Path, names: Names) -> int:
    """Delete the rows that are to be rebuilt, so that what is there afterwards was; returns their number. Raises TablesError."""
    with opened(database, write=True) as connection:
        removed = 0
        for mapping in names.tables:
            where, values = _of_scenario(names, mapping)
            removed += connection.execute(f"DELETE FROM {quoted(mapping.table)} {where}", values).fetchall()[0][0]
        connection.execute("CHECKPOINT")
    return removed


def census_of_tables(database: Path, names: Names) -> dict[str, int]:
    """Rows of the tables that are to be rebuilt, by name. Raises TablesError for a missing one, or a view in its place."""
    with opened(database) as connection:
        there = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        counted = {}
        for mapping in names.tables:
            if mapping.table not in there:
                known = ", ".join(sorted(there))[:300] or "none"
                raise TablesError(
                    f"{database}: no table {mapping.table} (tables: {known}); --mapping FILE says how yours are called. "
                    "A view will not do: its rows cannot be taken out and rebuilt"
                )
            where, values = _of_scenario(names, mapping)
            (counted[mapping.table],) = connection.execute(
                f"SELECT count(*) FROM {quoted(mapping.table)} {where}", values
            ).fetchall()[0]
        missing = sorted(set(names.others) - there)
        if missing:
            raise TablesError(f"{database}: --rebuilt {missing[0]}: no such table")
    return counted


def _of_scenario(names: Names, mapping: TableMapping) -> tuple[str, list[str]]:
    if names.scenario is None:
        return "", []
    columns = [mapping.columns.get(name, name) for name in ("scenario_id", "plan_design_id")]
    return f"WHERE {columns[0]} = ? AND {columns[1]} = ?", list(names.scenario)


def quoted(name: str) -> str:
    """A name for a statement."""
    return '"' + name.replace('"', '""') + '"'
