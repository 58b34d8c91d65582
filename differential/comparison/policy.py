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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from differential.comparison.verdict import ColumnRules, TableComparison

DEFAULT_THRESHOLDS: Mapping[str, float] = {
    "sql_vs_polars": 0.9999,
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
        raise NotImplementedError

    def rules(self, table: str) -> ColumnRules:
        """What the entries excuse in one table."""
        raise NotImplementedError


@dataclass
class PolicyUse:
    """Which entries a session needed, by `PolicyEntry.name`; `names` is plain data, fit to be sent between processes."""

    names: set[str] = field(default_factory=set)

    def record(self, policy: ComparisonPolicy, comparison: TableComparison) -> None:
        """Note the entries that covered a difference of this comparison."""
        raise NotImplementedError

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
    raise NotImplementedError


def load_policy(path: Path) -> ComparisonPolicy:
    """Read a policy file. Raises PolicyError naming file and key; unknown keys are errors."""
    raise NotImplementedError
