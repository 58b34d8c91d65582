"""Every row of one world that differs, placed in simulated time. Source of the order: docs/simulation.md, section 5."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from differential.comparison.changes import Mask, compare_columns
from differential.comparison.encode import comparable
from differential.comparison.exact import match_tables, shared_columns, tables_identical
from differential.comparison.matching import Positions
from differential.comparison.verdict import EVENTS, STATE, ColumnRules, TableSpec
from differential.schemas import EVENT_TYPES

Row: TypeAlias = Mapping[str, object]
_Side: TypeAlias = tuple[pa.Table, Positions]
NO_YEAR = -1
"""Stands for a null year: before all others."""
Kind = Literal["missing_left", "missing_right", "value", "duplicate"]

EXPERIENCED_EXITS, HIRES, NEW_HIRE_EXITS, DATED, YEAR_END = range(5)
"""Ranks within a year: the selections in their order, then whatever has a date, then the state."""

_CAUSES = (
    "event_date",
    "previous_compensation",
    "prev_employee_deferral_rate",
    "level_id",
    "compensation_amount",
    "employee_deferral_rate",
    "event_payload",
    "employee_age",
    "employee_tenure",
    "employee_ssn",
)
_CONSEQUENCES = ("event_sequence", "event_id")


Time = tuple[int, dt.date, str, int, str]
"""Where a difference stands within its year: rank, date, employee, event code, kind."""


@dataclass(frozen=True)
class Difference:
    """One row that differs: what it is on either side (None where it is missing) and which columns, causes first."""

    spec: TableSpec
    kind: Kind
    rank: int
    left: Row | None
    right: Row | None
    columns: tuple[str, ...] = ()

    @property
    def row(self) -> Row:
        """The row of the side that has it, the left where both do."""
        found = self.left if self.left is not None else self.right
        assert found is not None
        return found


def event_code(event_type: object) -> int:
    """The code of docs/simulation.md, section 6; types unknown to it come after all others."""
    return EVENT_TYPES.index(event_type) + 1 if event_type in EVENT_TYPES else len(EVENT_TYPES) + 1


def first_difference(
    events: tuple[pa.Table, pa.Table],
    state: tuple[pa.Table, pa.Table],
    event_rules: ColumnRules,
    state_rules: ColumnRules,
) -> Difference | None:
    """The earliest difference of two worlds' tables, which have one schema; None where the tables are equal."""
    sides = [(EVENTS, events, event_rules), (STATE, state, state_rules)]
    found = [_rows(spec, tables, rules) for spec, tables, rules in sides if not tables_identical(*tables)]
    # only the first year in which anything differs is turned into rows: there may be a million differences
    years = [year for item in found if (year := item.first_year()) is not None]
    if not years:
        return None
    hired = _hired(events, min(years))
    earliest = min((place for item in found for place in item.places(min(years), hired)), key=lambda place: place.time)
    return earliest.rows.difference(earliest)


@dataclass(frozen=True)
class _Rows:
    """Positions of the rows of one table that differ; `pairs` are matched rows with the columns that changed."""

    spec: TableSpec
    left: pa.Table
    right: pa.Table
    pairs: tuple[Positions, Positions]
    masks: Mapping[str, Mask]
    missing_right: Positions
    missing_left: Positions
    surplus: tuple[Positions, Positions]

    def first_year(self) -> int | None:
        left = np.concatenate([self.pairs[0], self.missing_right, self.surplus[0]])
        right = np.concatenate([self.missing_left, self.surplus[1]])
        years = np.concatenate([_years(self.left, left), _years(self.right, right)])
        return int(years.min()) if len(years) else None

    def places(self, year: int, hired: frozenset[object]) -> Iterator[_Place]:
        """Every difference of one year, without the rows themselves: there may be very many."""
        moved = self.masks.get("event_date", np.zeros(len(self.pairs[0]), bool))
        always = np.ones(max(self.left.num_rows, self.right.num_rows), bool)
        one, other = self.left, self.right
        yield from self._places("value", (one, self.pairs[0]), (other, self.pairs[1]), moved, year, hired)
        yield from self._places("missing_right", (one, self.missing_right), None, always, year, hired)
        yield from self._places("missing_left", None, (other, self.missing_left), always, year, hired)
        yield from self._places("duplicate", (one, self.surplus[0]), None, always, year, hired)
        yield from self._places("duplicate", None, (other, self.surplus[1]), always, year, hired)

    def difference(self, place: _Place) -> Difference:
        """The whole of one difference."""
        left = None if place.left is None else _row(self.left, place.left)
        right = None if place.right is None else _row(self.right, place.right)
        changed = [name for name, mask in self.masks.items() if place.kind == "value" and mask[place.index]]
        columns = tuple(sorted(changed, key=self._priority))
        return Difference(self.spec, place.kind, place.time[0], left, right, columns)

    def _places(
        self, kind: Kind, left: _Side | None, right: _Side | None, moved: Mask, year: int, hired: frozenset[object]
    ) -> Iterator[_Place]:
        table, rows = left or right or (self.left, np.empty(0, np.int64))
        chosen = np.flatnonzero(_years(table, rows) == year)
        facts = _facts(table, rows[chosen], self.spec)
        others = _facts(right[0], right[1][chosen], self.spec) if left and right else facts
        for index, (event, date, employee), (_, other_date, _) in zip(chosen, facts, others, strict=True):
            rank = self._rank(event, employee, bool(moved[index]), hired)
            time = (rank, min(date, other_date), str(employee), event_code(event), kind)
            at_left = int(left[1][index]) if left else None
            at_right = int(right[1][index]) if right else None
            yield _Place(time, kind, self, int(index), at_left, at_right)

    def _priority(self, column: str) -> tuple[int, int]:
        """Causes before consequences; otherwise the order of the schema."""
        place = self.left.column_names.index(column)
        if self.spec is not EVENTS:
            return 0, place
        if column in _CAUSES:
            return 0, _CAUSES.index(column)
        return (2, _CONSEQUENCES.index(column)) if column in _CONSEQUENCES else (1, place)

    def _rank(self, event: object, employee: object, moved: bool, hired: frozenset[object]) -> int:
        """Selection is about who and when; what else a hire or an exit says follows from the day it happens."""
        if self.spec is not EVENTS:
            return YEAR_END
        if moved and event == "hire":
            return HIRES
        if moved and event == "termination":
            return NEW_HIRE_EXITS if employee in hired else EXPERIENCED_EXITS
        return DATED


@dataclass(frozen=True)
class _Place:
    """One difference as positions: in the tables, and among its kind (`index`)."""

    time: Time
    kind: Kind
    rows: _Rows
    index: int
    left: int | None
    right: int | None


def _years(table: pa.Table, rows: Positions) -> Positions:
    """The simulation year of some rows, NO_YEAR for null."""
    years = pc.fill_null(table["simulation_year"].take(pa.array(rows)), NO_YEAR)
    return np.asarray(years.to_numpy(), np.int64)


def _facts(table: pa.Table, rows: Positions, spec: TableSpec) -> list[tuple[object, dt.date, object]]:
    """Event type, date (the last day of all where there is none) and employee of some rows."""
    names = ("event_type", "event_date", "employee_id") if spec is EVENTS else ("employee_id",)
    some = table.select(names).take(pa.array(rows))
    columns = {name: some[name].to_pylist() for name in names}
    employees = columns["employee_id"]
    events = columns.get("event_type", [None] * len(employees))
    dates = [date or dt.date.max for date in columns.get("event_date", [None] * len(employees))]
    return list(zip(events, dates, employees, strict=True))


def _rows(spec: TableSpec, tables: tuple[pa.Table, pa.Table], rules: ColumnRules) -> _Rows:
    left, right = tables
    matching = match_tables(left, right, spec)
    names = [name for name in shared_columns(left.schema, right.schema) if name not in spec.key]
    mine = {name: comparable(left[name]) for name in names}
    yours = {name: comparable(right[name]) for name in names}
    changes = compare_columns(left, right, names, matching, mine, yours, rules)
    changed = np.flatnonzero(changes.rows)
    return _Rows(
        spec,
        left,
        right,
        (matching.left[changed], matching.right[changed]),
        {name: mask[changed] for name, mask in changes.masks.items()},
        matching.only_left,
        matching.only_right,
        (matching.surplus_left, matching.surplus_right),
    )


def _hired(events: tuple[pa.Table, pa.Table], year: int) -> frozenset[object]:
    """Who is hired in that year on either side."""
    ids: set[object] = set()
    for table in events:
        hires = pc.and_(pc.equal(table["event_type"], EVENT_TYPES[0]), pc.equal(table["simulation_year"], year))
        ids.update(pc.unique(table["employee_id"].filter(hires)).to_pylist())
    return frozenset(ids)


def _row(table: pa.Table, position: int) -> Row:
    found: Row = table.slice(int(position), 1).to_pylist()[0]
    return found


def unplaceable(spec: TableSpec, schema: pa.Schema) -> str | None:
    """The first column without which, or with whose type, rows of this table cannot be placed in simulated time."""
    needed: tuple[str, ...] = (*spec.key, "event_date") if spec is EVENTS else spec.key
    for name in needed:
        kind = schema.field(name).type if schema.names.count(name) == 1 else None
        wrong = name == "simulation_year" and kind is not None and not pt.is_integer(kind)
        wrong = wrong or (name == "event_date" and kind is not None and not pt.is_date32(kind))
        if kind is None or wrong:
            return name
    return None
