"""Session: a DuckDB connection of a run, with its rules loaded, statements counted and results handed over as Arrow."""

from __future__ import annotations

import atexit
import os
import re
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa

RULES = Path(__file__).parent / "rules"
_MEMORY_SHARE = 0.5
_WORTH_KEEPING = 1000  # characters: shorter statements are parsed in no time


@cache
def rule(name: str) -> str:
    """The statement of rules/NAME.sql, without comments and a closing semicolon."""
    text = (RULES / f"{name}.sql").read_text(encoding="utf-8")
    return re.sub(r"^\s*--.*\n|\s--\s.*$", "", text, flags=re.MULTILINE).strip().rstrip(";")


def compose(relations: Mapping[str, str], body: str) -> str:
    """`body` with `relations` (name to query) as common table expressions before its own, in the order given."""
    if not relations:
        return body
    heads = ",\n".join(f"{name} AS (\n{query}\n)" for name, query in relations.items())
    own = re.match(r"WITH\s+", body)
    return f"WITH {heads},\n{body[own.end() :]}" if own else f"WITH {heads}\n{body}"


class Session:
    """One connection and what it did. Not for use by several threads, but for `beside`.

    statements: executed so far, cursors included. registered: names of Arrow tables visible to statements.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, keeps_statements: bool = True) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._registered: set[str] = set()
        self._prepared: dict[str, str] = {}
        self._columns: dict[str, str] = {}
        self._keeps_statements = keeps_statements
        self.statements = 0

    def begin(self, threads: int) -> None:
        """Set the threads of the run to come and count its statements from 0."""
        self.statements = 0
        self.run(f"SET threads = {int(threads)}")

    @property
    def threads(self) -> int:
        """Threads in force in DuckDB, read back."""
        return int(self.rows("SELECT current_setting('threads')")[0][0])

    def run(self, statement: str, parameters: Mapping[str, int] | None = None) -> None:
        """Execute to the end; any result is dropped."""
        self._execute(self._connection, statement, parameters).fetchall()

    def rows(self, statement: str, parameters: Mapping[str, int] | None = None) -> list[tuple[Any, ...]]:
        """Execute and return all rows."""
        return self._execute(self._connection, statement, parameters).fetchall()

    def arrow(self, statement: str, parameters: Mapping[str, int] | None = None) -> pa.Table:
        """Execute and return the result as an Arrow table."""
        result = self._execute(self._connection, statement, parameters)
        with warnings.catch_warnings():
            # DuckDB 2 advises relations instead; those plan every statement twice, which costs more than the copy.
            warnings.simplefilter("ignore", UserWarning)
            name = "to_arrow_table" if hasattr(result, "to_arrow_table") else "fetch_arrow_table"  # before DuckDB 1.5
            fetch: Callable[[], pa.Table] = getattr(result, name)
            return fetch()

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name, on this connection only; replaces an earlier one."""
        self._connection.register(name, table)
        self._registered.add(name)

    def unregister_all(self) -> None:
        """Let go of every registered Arrow table."""
        for name in self._registered:
            self._connection.unregister(name)
        self._registered.clear()

    @contextmanager
    def beside(self) -> Iterator[Session]:
        """A session on the same database for another thread; its statements count here when it closes."""
        with self._lock:
            cursor = self._connection.cursor()
        other = Session(cursor, keeps_statements=False)
        try:
            yield other
        finally:
            cursor.close()
            with self._lock:
                self.statements += other.statements

    def close(self) -> None:
        self._connection.close()

    def fill(self, table: str, query: str, parameters: Mapping[str, int] | None = None) -> None:
        """Replace the table by the query's rows.

        A statement that makes a table cannot be prepared, one that inserts can: from the second time on the table is made
        empty, with the columns of the first, and filled by a statement that was parsed before.
        """
        columns = self._columns.get(table)
        if columns is None:
            self.run(f"CREATE OR REPLACE TABLE {table} AS\n{query}", parameters)
            if self._keeps_statements:
                self._columns[table] = self._columns_of(table)
            return
        self.run(f"CREATE OR REPLACE TABLE {table} ({columns})")
        self.run(f"INSERT INTO {table} BY NAME\n{query}", parameters)

    def _columns_of(self, table: str) -> str:
        return ", ".join(f"{name} {kind}" for name, kind, *_ in self.rows(f"DESCRIBE {table}"))

    def _execute(
        self, connection: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, int] | None
    ) -> duckdb.DuckDBPyConnection:
        self.statements += 1
        # DuckDB refuses parameters that a statement does not name
        used = {name: value for name, value in (parameters or {}).items() if re.search(rf"\${name}\b", statement)}
        preparable = self._keeps_statements and not statement.startswith("CREATE") and len(statement) > _WORTH_KEEPING
        if not preparable:
            return connection.execute(statement, used) if used else connection.execute(statement)
        if statement not in self._prepared:
            name = f"statement_{len(self._prepared)}"
            connection.execute(f"PREPARE {name} AS {statement}")
            self._prepared[statement] = name
        values = ", ".join(f"{name} := {value}" for name, value in used.items())
        return connection.execute(f"EXECUTE {self._prepared[statement]}" + (f"({values})" if values else ""))


def _load_macros(session: Session) -> None:
    session.run(
        "SET enable_progress_bar = false"
    )  # on by default: DuckDB would draw it over the terminal of whoever runs the engine
    for statement in _statements("macros"):
        session.run(statement)


def make_input_tables(session: Session) -> None:
    """Make the empty tables of rules/schema.sql."""
    for statement in _statements("schema"):
        session.run(statement)


@cache
def _statements(name: str) -> list[str]:
    return [part.strip() for part in rule(name).split(";") if part.strip()]


@contextmanager
def on_disk(threads: int) -> Iterator[Session]:
    """A session whose tables live in a temporary DuckDB file, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="workforce-parity-") as folder:
        session = Session(duckdb.connect(str(Path(folder) / "intermediates.duckdb"), config=_config(folder)))
        try:
            _load_macros(session)
            session.begin(threads)
            yield session
        finally:
            session.close()


@contextmanager
def in_memory(threads: int) -> Iterator[Session]:
    """A session in memory. One is kept for the next run, emptied; a run that fails leaves none behind."""
    session = _take()
    try:
        session.begin(threads)
        yield session
        _empty(session)
    except BaseException:
        session.close()
        raise
    _give_back(session)


def _take() -> Session:
    with _kept_lock:
        kept = _kept.pop(os.getpid(), None)
    if kept is not None:
        return kept
    spill = Path(tempfile.gettempdir()) / f"workforce-parity-spill-{os.getpid()}"
    session = Session(duckdb.connect(":memory:", config=_config(str(spill))))
    _load_macros(session)
    return session


def _give_back(session: Session) -> None:
    with _kept_lock:
        other = _kept.pop(os.getpid(), None)
        _kept[os.getpid()] = session
    if other is not None:
        other.close()


def _close_kept() -> None:
    """The kept session ends before the interpreter: DuckDB 2 reports what is alive after that as leaks, in a hundred lines."""
    with _kept_lock:
        kept = _kept.pop(os.getpid(), None)
    if kept is not None:
        kept.close()


def _empty(session: Session) -> None:
    # Dropped, not truncated: deleted rows of a database in memory keep their memory.
    session.unregister_all()
    for (name,) in session.rows("SELECT table_name FROM duckdb_tables()"):
        session.run(f"DROP TABLE {name}")


def _config(spill: str) -> dict[str, str | bool | int | float | list[str]]:
    limit = int(psutil.virtual_memory().total * _MEMORY_SHARE) >> 20
    return {"memory_limit": f"{limit}MiB", "temp_directory": spill}


_kept: dict[int, Session] = {}
_kept_lock = threading.Lock()
atexit.register(_close_kept)
