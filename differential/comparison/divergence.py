"""The first difference of two results in simulated time: where to start looking.

Order (docs/simulation.md, section 5): an infeasible world, the schema, then per year the selections in their order
(experienced exits 5.3, hires 5.4, new-hire exits 5.5: rows that are missing, extra or dated otherwise), then all other
differences of events by date, employee and event code, then the state rows at the year's end. A difference of selection
comes first although its date may be late, because its consequences may be dated earlier: the contribution of a leaver's
last day carries a lower code than the exit, and other people leave early in the year when one is hired late in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from differential.comparison import differences
from differential.comparison.chain import Event, describe_chain, events_until
from differential.comparison.differences import NO_YEAR, Difference, event_code, first_difference, unplaceable
from differential.comparison.exact import schema_differences
from differential.comparison.policy import ComparisonPolicy
from differential.comparison.text import MASKED_COLUMNS, columns, masked_difference, show
from differential.comparison.verdict import EVENTS, STATE, SchemaDifference, TableSpec
from differential.run import Infeasible, WorldResult
from fixtures.units import bp_to_rate, cents_to_money
from fixtures.world import World

DivergenceKind = Literal["missing_left", "missing_right", "value", "duplicate", "schema", "infeasible"]

_STAGES = {
    "hire": "hires (5.4)",
    "eligibility": "eligibility (5.8)",
    "promotion": "promotion (5.6)",
    "raise": "raise (5.7)",
    "enrollment": "enrolment (5.9)",
    "deferral_escalation": "escalation (5.10)",
    "enrollment_change": "opt-out (5.9)",
    "contribution": "contribution (5.11)",
    "employer_match": "match (5.11)",
    "employer_core": "core (5.11)",
    "termination": "exits (5.3, 5.5)",
}
_RANKS = {
    differences.EXPERIENCED_EXITS: "experienced exits (5.3)",
    differences.HIRES: "hires (5.4)",
    differences.NEW_HIRE_EXITS: "new-hire exits (5.5)",
}


@dataclass(frozen=True)
class Divergence:
    """Where two results part.

    table: of differential/schemas.py, empty for infeasible. kind: missing_left means that the row is on the right only.
    stage: of the specification, such as `raise (5.7)`. column, left, right: what differs: the values of that column, the
    whole row on one side (missing), the numbers of rows (duplicate), types (schema), reasons (infeasible, where column is
    the two codes). also: further columns of that row that differ. chain_left, chain_right: that employee's events up to
    and including this point, in order. census: the employee's census row, None for new hires or without a world.
    context: what else tells, such as the year's numbers of hires and exits as (what, left, right).
    """

    table: str
    kind: DivergenceKind
    year: int | None
    stage: str
    employee_id: str | None = None
    event_type: str | None = None
    event_date: dt.date | None = None
    column: str | None = None
    left: object = None
    right: object = None
    also: tuple[str, ...] = ()
    chain_left: tuple[Event, ...] = ()
    chain_right: tuple[Event, ...] = ()
    census: Mapping[str, object] | None = None
    context: tuple[tuple[str, int, int], ...] = ()

    def signature(self, subject: str) -> str:
        """`subject|table|event type|column|kind`, with subject the pair or rule: no ids, values or dates, so that it is the
        same for the same failure in a smaller or another world."""
        return "|".join((subject, self.table or "-", self.event_type or "-", self.column or "-", self.kind))

    def describe(self, left: str = "left", right: str = "right") -> str:
        """Plain text for people, aligned and short."""
        place: list[tuple[str, object]] = [("table", self.table), ("year", self.year), ("stage", self.stage)]
        place += [("employee", self.employee_id), ("event", self.event_type), ("date", self.event_date)]
        rows = [(name, str(value)) for name, value in [*place, ("column", self.column)] if value not in (None, "")]
        lines = [f"first divergence: {self._headline(left, right)}", *columns(rows)]
        if self.kind not in ("missing_left", "missing_right"):
            name = self.column or ""
            lines += columns([(left, show(self.left, name)), (right, show(self.right, name))])
            if name in MASKED_COLUMNS and (how := masked_difference(self.left, self.right)):
                lines.append(f"  differ: {how}")
        if self.also:
            lines.append(f"  also different in this row: {', '.join(self.also)}")
        lines += [f"  {what}: {left} {one}, {right} {other}" for what, one, other in self.context]
        if self.census:
            lines.append("  census: " + ", ".join(f"{name} {show(value)}" for name, value in self.census.items()))
        if self.chain_left or self.chain_right:
            lines += ["  what led there:", *describe_chain(self.chain_left, self.chain_right, left, right)]
        return "\n".join(lines)

    def _headline(self, left: str, right: str) -> str:
        what = self.event_type or "state row"
        return {
            "missing_left": f"{what} only in {right}",
            "missing_right": f"{what} only in {left}",
            "value": f"{self.column} of {what}",
            "duplicate": f"{what} repeated: {self.left} in {left}, {self.right} in {right}",
            "schema": f"columns of {self.table}",
            "infeasible": "whether the world has a result",
        }[self.kind]


def first_divergence(
    left: WorldResult, right: WorldResult, world: World | None = None, policy: ComparisonPolicy | None = None
) -> Divergence | None:
    """The first difference in simulated time that the policy does not excuse, None where there is none."""
    if left.infeasible != right.infeasible:
        return _infeasible(left.infeasible, right.infeasible)
    policy = policy or ComparisonPolicy()
    rules = policy.rules(EVENTS.name), policy.rules(STATE.name)
    events = _without(left.events, rules[0].ignored), _without(right.events, rules[0].ignored)
    state = _without(left.state, rules[1].ignored), _without(right.state, rules[1].ignored)
    for spec, tables in ((EVENTS, events), (STATE, state)):
        found = schema_differences(tables[0].schema, tables[1].schema) or _unplaceable(spec, tables[0].schema)
        if found:
            first = found[0]
            return Divergence(
                spec.name, "schema", None, "schema (6)", column=first.column, left=first.left, right=first.right
            )
    difference = first_difference(events, state, *rules)
    return None if difference is None else _divergence(difference, left, right, world)


def _divergence(difference: Difference, left: WorldResult, right: WorldResult, world: World | None) -> Divergence:
    """Put the evidence to a difference."""
    row, spec = difference.row, difference.spec
    year, employee = row["simulation_year"], row["employee_id"]
    event_type = str(row["event_type"]) if spec is EVENTS else None
    dates = [side["event_date"] for side in (difference.left, difference.right) if side and spec is EVENTS]
    last = max((date for date in dates if isinstance(date, dt.date)), default=dt.date.max)
    until = (year if isinstance(year, int) else NO_YEAR, last, event_code(event_type) if event_type else 99)
    one, other = _values(difference, left, right)
    selection = difference.rank in _RANKS
    return Divergence(
        table=spec.name,
        kind=difference.kind,
        year=year if isinstance(year, int) else None,
        stage=_RANKS.get(difference.rank) or (_STAGES.get(event_type, "unknown event") if event_type else "state (6)"),
        employee_id=None if employee is None else str(employee),
        event_type=event_type,
        event_date=min((date for date in dates if isinstance(date, dt.date)), default=None),
        column=difference.columns[0] if difference.columns else None,
        left=one,
        right=other,
        also=difference.columns[1:],
        chain_left=events_until(left.events, employee, until),
        chain_right=events_until(right.events, employee, until),
        census=_census_row(world, employee),
        context=_year_counts(left.events, right.events, until[0]) if selection else (),
    )


def _values(difference: Difference, left: WorldResult, right: WorldResult) -> tuple[object, object]:
    if difference.kind == "duplicate":
        tables = (left.events, right.events) if difference.spec is EVENTS else (left.state, right.state)
        counts = [_count(table, difference) for table in tables]
        return counts[0], counts[1]
    if difference.kind == "value":
        assert difference.left is not None
        assert difference.right is not None
        return difference.left[difference.columns[0]], difference.right[difference.columns[0]]
    return difference.left, difference.right


def _count(table: pa.Table, difference: Difference) -> int:
    """Rows of a table with the key of this difference."""
    for name in difference.spec.key:
        value = pa.scalar(difference.row[name], table.schema.field(name).type)
        table = table.filter(pc.equal(table[name], value) if value.is_valid else pc.is_null(table[name]))
    return int(table.num_rows)


def _infeasible(left: Infeasible | None, right: Infeasible | None) -> Divergence:
    reasons = [None if reason is None else f"{reason.code} in {reason.year}" for reason in (left, right)]
    codes = "/".join("has a result" if reason is None else reason.code for reason in (left, right))
    year = min(reason.year for reason in (left, right) if reason is not None)
    shown = [reason or "has a result" for reason in reasons]
    return Divergence("", "infeasible", year, "quotas (5.2)", column=codes, left=shown[0], right=shown[1])


def _unplaceable(spec: TableSpec, schema: pa.Schema) -> tuple[SchemaDifference, ...]:
    """A column that both sides lack, or have with one wrong type, so that nothing can be placed in time."""
    name = unplaceable(spec, schema)
    if name is None:
        return ()
    kind = str(schema.field(name).type) if schema.names.count(name) == 1 else None
    return (SchemaDifference("type", name, kind, kind),)


def _year_counts(left: pa.Table, right: pa.Table, year: int) -> tuple[tuple[str, int, int], ...]:
    found = []
    for event in ("hire", "termination"):
        counts = [
            int(
                pc.sum(pc.and_(pc.equal(table["event_type"], event), pc.equal(table["simulation_year"], year))).as_py()
                or 0
            )
            for table in (left, right)
        ]
        found.append((f"{event} events in {year}", counts[0], counts[1]))
    return tuple(found)


def _census_row(world: World | None, employee: object) -> dict[str, object] | None:
    if world is None:
        return None
    for person in world.census.table.filter(pc.equal(world.census.table["employee_id"], str(employee))).to_pylist():
        return {
            "birth_date": person["birth_date"],
            "hire_date": person["hire_date"],
            "pay": cents_to_money(person["pay_cents"]),
            "deferral_rate": bp_to_rate(person["deferral_bp"]),
        }
    return None


def _without(table: pa.Table, ignored: frozenset[str]) -> pa.Table:
    return table.select([index for index, name in enumerate(table.column_names) if name not in ignored])
