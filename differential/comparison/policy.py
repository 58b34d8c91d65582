"""What an attached engine is excused from: thresholds, per-column tolerances, ignored columns; each with reason and end date.

A policy file (YAML):

    thresholds:
      sql vs mine: {sql_vs_polars: 0.999}       # engine names in either order; parity test name to least score
    columns:
      compensation_amount: {table: fct_yearly_events, tolerance: 0.01, reason: float money, until: 2027-01-31}
    ignore:
      - {column: created_at, table: fct_yearly_events, reason: wall clock, until: 2027-01-31}

A column of both tables takes a list of entries. Without a policy everything is exact. Policies are strict: an entry that no
difference needed in the whole session, or that is past its end date, fails (`stale_entries`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from differential.comparison.verdict import ColumnRules, TableComparison
from differential.schemas import EVENTS_TABLE, STATE_TABLE
from fixtures.strict_yaml import load_yaml

_TABLES = (EVENTS_TABLE, STATE_TABLE)

DEFAULT_THRESHOLDS: Mapping[str, float] = {
    "sql_vs_polars": 0.9999,
    "library_versions": 1.0,
    "threads": 0.9999,
    "several_years": 0.9999,
    "same_seed": 1.0,
    "levels": 0.9995,
    "legacy": 1.0,
    "shards": 1.0,
    "batch": 1.0,
}
"""Least score of each parity test for attached engines; the built-in engines fail on any difference at all."""


class PolicyError(ValueError):
    """A policy file that cannot be used; the message names file and key."""


@dataclass(frozen=True)
class PolicyEntry:
    """One excuse: a tolerance (absolute, in the column's unit) or, with tolerance None, a column left out."""

    table: str
    column: str
    tolerance: Decimal | None
    reason: str
    until: dt.date

    @property
    def name(self) -> str:
        """Its place in the file, such as `columns.compensation_amount (fct_yearly_events)`."""
        part = "ignore" if self.tolerance is None else "columns"
        return f"{part}.{self.column} ({self.table})"


@dataclass(frozen=True)
class ComparisonPolicy:
    """Thresholds by engine pair and parity test, and the entries of a policy file. The empty policy is exact."""

    thresholds: Mapping[frozenset[str], Mapping[str, float]] = field(default_factory=dict)
    entries: tuple[PolicyEntry, ...] = ()
    source: str = "no policy file"

    def threshold(self, left: str, right: str, test: str) -> float:
        """The least score at which two attached engines pass a parity test; 1.0 for a test without a default."""
        own = self.thresholds.get(frozenset((left, right)), {})
        return own.get(test, DEFAULT_THRESHOLDS.get(test, 1.0))

    def rules(self, table: str) -> ColumnRules:
        """What the entries excuse in one table."""
        mine = [entry for entry in self.entries if entry.table == table]
        return ColumnRules(
            {entry.column: entry.tolerance for entry in mine if entry.tolerance is not None},
            frozenset(entry.column for entry in mine if entry.tolerance is None),
        )


@dataclass
class PolicyUse:
    """Which entries a session needed, by `PolicyEntry.name`; `names` is plain data, fit to be sent between processes."""

    names: set[str] = field(default_factory=set)

    def record(self, policy: ComparisonPolicy, comparison: TableComparison) -> None:
        """Note the entries that covered a difference of this comparison."""
        for entry in policy.entries:
            kind = "ignore" if entry.tolerance is None else "tolerance"
            if entry.table == comparison.table and (kind, entry.column) in comparison.used:
                self.names.add(entry.name)

    def merge(self, names: Iterable[str]) -> None:
        """Add what another process noted."""
        self.names.update(names)


@dataclass(frozen=True)
class StaleEntry:
    """An entry that has to go, and why: `past its end date 2027-01-31` or `no difference needed it`."""

    entry: PolicyEntry
    why: str


def stale_entries(policy: ComparisonPolicy, use: PolicyUse, today: dt.date) -> list[StaleEntry]:
    """Entries past their end date, or not needed by any comparison of the session; in file order."""
    stale = []
    for entry in policy.entries:
        if entry.until < today:
            stale.append(StaleEntry(entry, f"past its end date {entry.until}"))
        elif entry.name not in use.names:
            stale.append(StaleEntry(entry, "no difference needed it"))
    return stale


def load_policy(path: Path) -> ComparisonPolicy:
    """Read a policy file. Raises PolicyError naming file and key; unknown and repeated keys are errors."""
    data = load_yaml(path, PolicyError)
    return _Reader(str(path)).policy({} if data is None else data)


@dataclass(frozen=True)
class _Reader:
    """Turns what YAML gives into a policy; every message names the file and the key."""

    source: str

    def policy(self, data: object) -> ComparisonPolicy:
        top = self._mapping(data, "the file", ("thresholds", "columns", "ignore"))
        entries = [*self._columns(top.get("columns") or {}), *self._ignored(top.get("ignore") or [])]
        seen: set[tuple[str, str]] = set()
        for entry in entries:
            if (entry.table, entry.column) in seen:
                self._fail(entry.name, "a second entry for the same column of the same table")
            seen.add((entry.table, entry.column))
        return ComparisonPolicy(self._thresholds(top.get("thresholds") or {}), tuple(entries), self.source)

    def _thresholds(self, data: object) -> dict[frozenset[str], dict[str, float]]:
        found: dict[frozenset[str], dict[str, float]] = {}
        for pair, tests in self._mapping(data, "thresholds").items():
            key = f"thresholds.{pair}"
            names = frozenset(name.strip() for name in pair.split(" vs "))
            if pair.count(" vs ") != 1 or not all(names):
                self._fail(key, "expected two engine names, as in `sql vs mine`")
            if names in found:
                self._fail(key, "the same pair of engines is given twice")
            found[names] = {
                test: self._score(value, f"{key}.{test}")
                for test, value in self._mapping(tests, key, tuple(DEFAULT_THRESHOLDS)).items()
            }
        return found

    def _columns(self, data: object) -> Iterator[PolicyEntry]:
        for column, value in self._mapping(data, "columns").items():
            for index, item in enumerate(value if isinstance(value, list) else [value]):
                key = f"columns.{column}[{index}]" if isinstance(value, list) else f"columns.{column}"
                given = self._mapping(item, key, ("table", "tolerance", "reason", "until"), required=True)
                tolerance = self._tolerance(given["tolerance"], f"{key}.tolerance")
                yield self._entry(given, key, column, tolerance)

    def _ignored(self, data: object) -> Iterator[PolicyEntry]:
        if not isinstance(data, list):
            self._fail("ignore", f"expected a list, got {data!r:.60}")
        for index, item in enumerate(data):
            key = f"ignore[{index}]"
            given = self._mapping(item, key, ("column", "table", "reason", "until"), required=True)
            yield self._entry(given, key, self._text(given["column"], f"{key}.column"), None)

    def _entry(self, given: Mapping[str, object], key: str, column: str, tolerance: Decimal | None) -> PolicyEntry:
        table = self._text(given["table"], f"{key}.table")
        if table not in _TABLES:
            self._fail(f"{key}.table", f"unknown table {table!r:.60}: expected {' or '.join(_TABLES)}")
        until = given["until"]
        if not isinstance(until, dt.date) or isinstance(until, dt.datetime):
            self._fail(f"{key}.until", f"expected a date such as 2027-01-31, got {until!r:.60}")
        return PolicyEntry(table, column, tolerance, self._text(given["reason"], f"{key}.reason"), until)

    def _mapping(
        self, data: object, key: str, known: tuple[str, ...] | None = None, *, required: bool = False
    ) -> Mapping[str, Any]:
        if not isinstance(data, dict):
            self._fail(key, f"expected keys and values, got {data!r:.60}")
        for name in data:
            if not isinstance(name, str) or (known and name not in known):
                expected = f": expected {', '.join(known)}" if known else ": expected text"
                self._fail(key, f"unknown key {name!r:.60}{expected}")
        missing = [name for name in known or () if name not in data]
        if required and missing:
            self._fail(key, f"{', '.join(missing)} is missing; an entry has {', '.join(known or ())}")
        return data

    def _text(self, value: object, key: str) -> str:
        if not isinstance(value, str) or not value.strip():
            self._fail(key, f"expected text, got {value!r:.60}")
        return value

    def _score(self, value: object, key: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            self._fail(key, f"expected a score of 0 to 1, got {value!r:.60}")
        return float(value)

    def _tolerance(self, value: object, key: str) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            self._fail(key, f"expected a number above 0, got {value!r:.60}")
        try:
            tolerance = Decimal(str(value))
        except InvalidOperation:
            self._fail(key, f"expected a number above 0, got {value!r:.60}")
        if not tolerance.is_finite() or tolerance <= 0:
            self._fail(key, f"expected a number above 0, got {value!r:.60}")
        return tolerance

    def _fail(self, key: str, problem: str) -> NoReturn:
        raise PolicyError(f"{self.source}: {key}: {problem}")
