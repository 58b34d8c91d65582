"""What lies in a database file, and how it may differ from what must."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from differential.comparison import first_divergence
from differential.run import WorldResult, empty_tables
from differential.schemas import EVENTS_TABLE, STATE_TABLE, STATE_VIEW
from fixtures.world import World
from properties.check import Violation
from properties.lifecycle.clean import Content
from properties.lifecycle.palette import Name

EMPTY = Content.of(*empty_tables())
OWN_TABLE = "notes_of_the_owner"
_OWN_ROWS = [{"line": 1, "words": "keep"}, {"line": 2, "words": "me"}]


class FileError(RuntimeError):
    """A database file that cannot be opened or read."""


@dataclass(frozen=True)
class Stored:
    """contents: per name asked for. strays: rows in both tables under any other name. own_table: what the owner's table holds."""

    contents: Mapping[Name, Content]
    strays: int
    own_table: list[dict[str, object]] | None


def read_file(path: Path, names: Sequence[Name]) -> Stored:
    """Everything in the file, the state through its view; one that does not exist, or has no tables yet, is empty.

    Types are left as the file has them. One connection and few queries: this is done after every step.

    Raises:
        FileError: it is there and cannot be read.
    """
    if not path.exists():
        return Stored(dict.fromkeys(names, EMPTY), 0, None)
    try:
        with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as connection:
            own = _all_rows(connection, OWN_TABLE)
            tables = [_all_rows(connection, name) for name in (EVENTS_TABLE, STATE_VIEW)]
            state_rows = _all_rows(connection, STATE_TABLE)  # all that lies there, whatever the view shows
    except (duckdb.Error, OSError) as error:
        raise FileError(" ".join(str(error).split())[:400]) from error
    events, state = (found if found is not None else empty for found, empty in zip(tables, empty_tables(), strict=True))
    contents = {name: Content.of(_of(events, name), _of(state, name)) for name in names}
    known = sum(content.events.num_rows + content.state.num_rows for content in contents.values())
    strays = events.num_rows + (0 if state_rows is None else state_rows.num_rows) - known
    return Stored(contents, strays, None if own is None else own.to_pylist())


def _all_rows(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table | None:
    """The rows of a table or view, None where there is none of that name."""
    try:
        return connection.sql(f'FROM "{name}"').to_arrow_table()
    except duckdb.CatalogException:
        return None


def _of(table: pa.Table, name: Name) -> pa.Table:
    scenario, plan = name
    return table.filter(pc.and_(pc.equal(table["scenario_id"], scenario), pc.equal(table["plan_design_id"], plan)))


def add_own_table(path: Path) -> None:
    """A table that is none of the engines' business."""
    with duckdb.connect(str(path), config={"threads": 1}) as connection:
        connection.execute(f"CREATE OR REPLACE TABLE {OWN_TABLE} (line INTEGER, words VARCHAR)")
        connection.executemany(f"INSERT INTO {OWN_TABLE} VALUES (?, ?)", [list(row.values()) for row in _OWN_ROWS])


def has_own_rows(stored: Stored) -> bool:
    return stored.own_table == _OWN_ROWS


def copy_database(source: Path, target: Path) -> None:
    """Copy a file that nobody has open, with the log of what was committed and not yet moved into it."""
    for old, new in ((source, target), (_log(source), _log(target))):
        with suppress(FileNotFoundError):
            new.unlink()
        if old.exists():
            shutil.copyfile(old, new)


def _log(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


@dataclass(frozen=True)
class Difference:
    """How one scenario's rows differ from what must be there: a text for people, and the place."""

    text: str
    violation: Violation


def difference(check: str, clause: str, found: Content, expected: Content, world: World | None) -> Difference:
    """The years that are there, else the first divergence in simulated time."""
    if found.years != expected.years:
        shown = [", ".join(map(str, content.years)) or "none" for content in (found, expected)]
        text = f"years in the file: {shown[0]}\nyears expected: {shown[1]}"
        return Difference(text, Violation(check, clause, 0, f"years {shown[0]}", f"years {shown[1]}"))
    sides = [WorldResult(content.events, content.state) for content in (found, expected)]
    where = first_divergence(sides[0], sides[1], world)
    if where is None:
        return Difference("the rows differ", Violation(check, clause, 0, found.digest[:12], expected.digest[:12]))
    violation = Violation(
        check,
        clause,
        world=0,
        found=f"{where.column or 'row'} {where.left}",
        expected=f"{where.column or 'row'} {where.right}",
        employee_id=where.employee_id,
        year=where.year,
        event_type=where.event_type,
    )
    return Difference(where.describe("in the file", "clean run"), violation)
