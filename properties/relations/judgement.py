"""Judgement: holds the clauses of one relation to results, counts what was held, and notes where it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from differential.comparison import EVENTS, STATE, compare_tables, first_divergence
from differential.comparison.exact import tables_identical
from differential.run import WorldResult
from properties.check import Check, Violation

_SHOWN = ("compensation_amount", "employee_deferral_rate", "event_date", "current_salary", "deferral_rate", "is_active")


class Judgement:
    """The verdict on one family: `held` counts each clause that had something to hold, `violations` where it broke."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.held: Counter[str] = Counter()
        self.violations: list[Violation] = []

    def require(
        self,
        clause: str,
        holds: bool,
        found: object,
        expected: object,
        *,
        employee: str | None = None,
        year: int | None = None,
        event: str | None = None,
    ) -> None:
        """One clause at one place. `found` and `expected` are the two sides of its formula."""
        self._count(clause)
        if not holds:
            self.violations.append(
                Violation(self.check.id, clause, 0, _text(found), _text(expected), employee, year, event)
            )

    def equal(
        self,
        clause: str,
        found: object,
        expected: object,
        *,
        employee: str | None = None,
        year: int | None = None,
        event: str | None = None,
    ) -> None:
        """One clause that says `found = expected`."""
        self.require(clause, found == expected, found, expected, employee=employee, year=year, event=event)

    def same(self, clause: str, found: WorldResult, expected: WorldResult) -> None:
        """Both tables are equal as multisets of rows under one schema, and so is the reason for having none."""
        if found.infeasible is None and not (
            expected.events.num_rows or expected.state.num_rows or found.state.num_rows
        ):
            return  # nothing was compared
        self._count(clause)
        violation = difference(self.check.id, clause, found, expected)
        if violation is not None:
            self.violations.append(violation)

    def _count(self, clause: str) -> None:
        if clause not in self.check.clauses:
            raise KeyError(f"{self.check.id} has no clause {clause!r}")
        self.held[clause] += 1


def difference(check: str, clause: str, found: WorldResult, expected: WorldResult) -> Violation | None:
    """The first place where two results part; None where both tables are equal as multisets and so is the reason for none."""
    pairs = ((found.events, expected.events, EVENTS), (found.state, expected.state, STATE))
    if found.infeasible == expected.infeasible and all(tables_identical(one, other) for one, other, _ in pairs):
        return None
    divergence = first_divergence(found, expected)
    if divergence is not None:
        left, right = (_side(side, divergence.column) for side in (divergence.left, divergence.right))
        return Violation(check, clause, 0, left, right, divergence.employee_id, divergence.year, divergence.event_type)
    unequal = [spec.name for one, other, spec in pairs if not compare_tables(one, other, spec).equal]
    return Violation(check, clause, 0, f"other rows in {unequal[0]}", "the same rows") if unequal else None


def _side(value: object, column: str | None) -> str:
    if isinstance(value, Mapping):
        shown = [f"{name} {_text(value[name])}" for name in _SHOWN if value.get(name) is not None]
        return "a row: " + ", ".join(shown)
    text = "no such row" if value is None and column is None else _text(value)
    return f"{column} {text}" if column else text


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, Decimal) and value.as_tuple().exponent == 0 else str(value)


def feasible(*results: WorldResult) -> bool:
    """Whether every result has rows to speak of, not a reason for having none."""
    return all(result.infeasible is None for result in results)


def without(result: WorldResult, events: Iterable[str] = (), state: Iterable[str] = ()) -> WorldResult:
    """The result with columns left out; a column that an engine lacks is the schema's matter, not this one's."""
    return WorldResult(_drop(result.events, events), _drop(result.state, state), result.infeasible)


def with_events(result: WorldResult, types: Iterable[str]) -> WorldResult:
    """The result with events of these types only."""
    mask = pc.is_in(result.events["event_type"], pa.array(list(types), pa.string()))
    return WorldResult(result.events.filter(mask), result.state, result.infeasible)


def in_year(result: WorldResult, year: int) -> WorldResult:
    """The rows of one simulated year."""
    return WorldResult(_of_year(result.events, year), _of_year(result.state, year), result.infeasible)


def with_column(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The table with the values of one column replaced, its type kept."""
    index = table.column_names.index(name)
    return table.set_column(index, table.schema.field(index), values)


def _drop(table: pa.Table, names: Iterable[str]) -> pa.Table:
    gone = set(names)
    return table.select([name for name in table.column_names if name not in gone])


def _of_year(table: pa.Table, year: int) -> pa.Table:
    return table.filter(pc.equal(table["simulation_year"], year))
