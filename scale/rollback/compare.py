"""Two databases compared: what was rebuilt row by row and year by year, everything else as a whole."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from differential.comparison import (
    EVENTS,
    STATE,
    ComparisonPolicy,
    PolicyUse,
    TableComparison,
    TableSpec,
    compare_tables,
    content_hash,
)
from differential.comparison.exact import tables_identical
from properties.outside import TableMapping
from scale.rollback.tables import Names, TablesError, quoted, reason

HASH_ROWS = 5_000_000
"""Most rows of both tables at which their hashes are taken, as in a sweep."""
_COLUMNS = 6
_BEFORE, _AFTER = "before_drill", "after_drill"


@dataclass
class Agreement:
    """How two databases compare. equal: the rebuilt tables are, exactly; accepted: under the policy.

    parted: where they are not, a line for each table and year, with numbers and columns and nobody's values. report: the same at
    length, with rows of people.

    rows, hashes: of the rebuilt tables afterwards. untouched: other tables, found equal. strayed: other tables and views that are
    not as before. others: tables that the rebuild may write too. used: entries of the policy that were needed.
    """

    parted: list[str] = field(default_factory=list)
    report: list[str] = field(default_factory=list)
    equal: bool = True
    accepted: bool = True
    rows: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    untouched: int = 0
    strayed: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    used: PolicyUse = field(default_factory=PolicyUse)


def compare(before: Path, after: Path, names: Names, policy: ComparisonPolicy) -> Agreement:
    """Hold a rebuilt database to the one before: the rebuilt tables row by row, all others as a whole. Raises TablesError."""
    found = Agreement()
    try:
        with contextlib.closing(duckdb.connect(config={"threads": "1"})) as connection:
            connection.execute("SET enable_progress_bar = false")
            for name, path in ((_BEFORE, before), (_AFTER, after)):
                connection.execute(f"ATTACH {_text(str(path))} AS {name} (READ_ONLY)")
            _compare_views(connection, found)
            _compare_others(connection, names, found)
            for mapping, spec in zip(names.tables, (EVENTS, STATE), strict=True):
                _compare_rebuilt(connection, mapping, spec, policy, found)
    except duckdb.Error as error:
        raise TablesError(reason(after, error)) from None
    if sum(found.rows.values()) > HASH_ROWS:
        found.hashes = {}
    return found


def _compare_views(connection: duckdb.DuckDBPyConnection, found: Agreement) -> None:
    views = [
        {
            f"{schema}.{name}": sql
            for schema, name, sql in connection.execute(
                "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal AND database_name = ?",
                [side],
            ).fetchall()
        }
        for side in (_BEFORE, _AFTER)
    ]
    for name in sorted(set(views[0]) | set(views[1])):
        one, other = (_plain_sql(side.get(name)) for side in views)
        if one != other:
            found.strayed.append(
                f"view {name} {'is gone' if other is None else 'is new' if one is None else 'is another one'}"
            )


def _plain_sql(sql: str | None) -> str | None:
    return None if sql is None else sql.replace(f"{_BEFORE}.", "").replace(f"{_AFTER}.", "")


def _compare_others(connection: duckdb.DuckDBPyConnection, names: Names, found: Agreement) -> None:
    """Tables that are not rebuilt: the same names, columns and rows."""
    listed = [
        set(
            connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal AND database_name = ?", [side]
            ).fetchall()
        )
        for side in (_BEFORE, _AFTER)
    ]
    rebuilt = {("main", mapping.table) for mapping in names.tables}
    for schema, table in sorted((listed[0] | listed[1]) - rebuilt):
        label = table if schema == "main" else f"{schema}.{table}"
        was, there = ((schema, table) in side for side in listed)
        if label in names.others and there:
            found.others.append(label)
        elif not (was and there):
            found.strayed.append(f"table {label} {'is gone' if was else 'is new'}")
        else:
            one, other = (_digest(connection, side, schema, table) for side in (_BEFORE, _AFTER))
            if one == other:
                found.untouched += 1
            else:
                found.strayed.append(
                    f"table {label} has other {'columns' if one[0] != other[0] else 'rows'} than before"
                )


def _digest(connection: duckdb.DuckDBPyConnection, side: str, schema: str, table: str) -> tuple[object, object]:
    """Columns, and the rows as a multiset whatever their order and types."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? "
        "ORDER BY column_index",
        [side, schema, table],
    ).fetchall()
    rows = connection.execute(
        f"SELECT count(*), sum(hash(t)::HUGEINT), bit_xor(hash(t)) FROM {side}.{quoted(schema)}.{quoted(table)} t"
    ).fetchall()
    return columns, rows


def _compare_rebuilt(
    connection: duckdb.DuckDBPyConnection,
    mapping: TableMapping,
    spec: TableSpec,
    policy: ComparisonPolicy,
    found: Agreement,
) -> None:
    """One rebuilt table, a year at a time, so that memory holds two years of it and not two databases."""
    selects = [_Select.of(connection, side, mapping) for side in (_BEFORE, _AFTER)]
    years = sorted(
        {year for select in selects for year in select.years(connection)}, key=lambda year: (year is None, year)
    )
    digest, total = hashlib.sha256(), 0
    rules = policy.rules(spec.name)
    for year in years:
        left, right = (select.rows(connection, year) for select in selects)
        total += right.num_rows
        if total <= HASH_ROWS:
            digest.update(content_hash(right, spec.key).encode())
        if tables_identical(left, right):
            continue
        compared = compare_tables(left, right, _keyed(spec, left), rules)
        found.used.record(policy, compared)
        found.equal &= compared.equal
        found.accepted &= compared.accepted
        if not compared.accepted:
            found.parted.append(f"{mapping.table} {year}: {_in_short(compared)}")
            found.report.append(f"{mapping.table} {year}\n{compared.describe('before', 'after')}")
    found.rows[mapping.table] = total
    found.hashes[mapping.table] = digest.hexdigest()


def _keyed(spec: TableSpec, table: pa.Table) -> TableSpec:
    """Rows are told apart by the key's columns that are there, and by whole rows where none is."""
    key = tuple(name for name in spec.key if name in table.column_names)
    return replace(spec, key=key or tuple(table.column_names))


def _in_short(compared: TableComparison) -> str:
    """Numbers of rows, and the columns that differ."""
    counts = {
        "only before": compared.only_left + compared.duplicate_left,
        "only after": compared.only_right + compared.duplicate_right,
        "changed": compared.matched - compared.equal_rows,
    }
    told = ", ".join(f"{count} rows {where}" for where, count in counts.items() if count)
    columns = [found.column for found in compared.columns if found.changed] + [
        found.column for found in compared.schema
    ]
    more = f" and {len(columns) - _COLUMNS} more" if len(columns) > _COLUMNS else ""
    return (told or "other columns") + (f" ({', '.join(columns[:_COLUMNS])}{more})" if columns else "")


@dataclass(frozen=True)
class _Select:
    """A table under our column names where the mapping gives them, else under its own."""

    table: str
    columns: str
    year: str | None

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, side: str, mapping: TableMapping) -> _Select:
        table = f"{side}.main.{quoted(mapping.table)}"
        theirs = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
        ours = {name: text for name, text in mapping.columns.items() if name not in theirs or text != name}
        renamed = {text.strip().strip('"') for text in ours.values()}
        columns = [f"({text}) AS {quoted(name)}" for name, text in ours.items()]
        columns += [
            quoted(name) + (f" AS {quoted(f'{name} (as stored)')}" if name in ours else "")
            for name in theirs
            if name not in renamed
        ]
        year = mapping.columns.get("simulation_year", "simulation_year" if "simulation_year" in theirs else None)
        return cls(table, ", ".join(columns), year)

    def years(self, connection: duckdb.DuckDBPyConnection) -> Sequence[object]:
        if self.year is None:
            return [None]
        return [row[0] for row in connection.execute(f"SELECT DISTINCT {self.year} FROM {self.table}").fetchall()]

    def rows(self, connection: duckdb.DuckDBPyConnection, year: object) -> pa.Table:
        where = "" if self.year is None else f" WHERE ({self.year}) IS NOT DISTINCT FROM ?"
        values = [] if self.year is None else [year]
        return connection.sql(f"SELECT {self.columns} FROM {self.table}{where}", params=values).to_arrow_table()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
