"""From lived years to the tables of docs/simulation.md, section 6. Only here does Arrow come in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from differential.engines.oracle import payload
from differential.engines.oracle.draws import fold, text_key
from differential.engines.oracle.people import PROMOTION, PersonYear
from differential.engines.oracle.simulation import SimulatedYear
from differential.engines.oracle.units import completed_years
from differential.schemas import EVENT_TYPES, EVENTS_SCHEMA, STATE_SCHEMA
from fixtures.scenario import Scenario

EventRow = tuple[
    str, str, str, str, str, str, int, dt.date, int, str, int | None, int | None, int | None, int | None, int, int, int
]
StateRow = tuple[Any, ...]


class Rows:
    """Collects rows of worlds in canonical order, then makes the two tables."""

    def __init__(self) -> None:
        self.events: list[EventRow] = []
        self.state: list[StateRow] = []
        self._event_prefix: dict[tuple[str, str], int] = {}

    def add(self, lived: SimulatedYear) -> None:
        """Append one year of a world."""
        scenario = lived.year.scenario
        names = (scenario.scenario_id, scenario.plan_design_id)
        prefix = self._event_prefix.get(names)
        if prefix is None:
            prefix = self._event_prefix[names] = fold(fold(0, text_key(names[0])), text_key(names[1]))
        for member in lived.members:
            self.events.extend(event_rows(scenario, member, prefix))
            self.state.append(state_row(scenario, member))

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """(events, state)."""
        return make_table(self.events, EVENTS_SCHEMA), make_table(self.state, STATE_SCHEMA)


def event_rows(scenario: Scenario, member: PersonYear, prefix: int) -> list[EventRow]:
    """The rows of one person-year; `prefix` is the fold over the scenario's and the plan's keys."""
    person, year = member.person, member.year.year
    id_prefix = fold(fold(prefix, person.key), year)
    return [
        (
            payload.event_id(id_prefix, event.code), scenario.scenario_id, scenario.plan_design_id,
            person.employee_id, person.ssn, EVENT_TYPES[event.code - 1], year, event.day, sequence, event.payload,
            event.amount, event.previous_amount, event.rate, event.previous_rate,
            level_after(member, event.day, event.code),
            completed_years(person.birth_date, event.day), completed_years(person.hire_date, event.day),
        )
        for sequence, event in enumerate(member.events, 1)
    ]  # fmt: skip


def level_after(member: PersonYear, day: dt.date, code: int) -> int:
    """The level held after an event, events being ordered by (date, code)."""
    return member.level if (day, code) >= (member.year.promotion_day, PROMOTION) else member.opening.level


def state_row(scenario: Scenario, member: PersonYear) -> StateRow:
    """The row at the end of one person-year."""
    person, last_day = member.person, member.last_day
    active = member.exit_day is None
    eligible = person.eligibility_date <= last_day
    enrolled = active and member.rate > 0
    closing = member.closing()
    return (
        scenario.scenario_id, scenario.plan_design_id, person.employee_id, person.ssn, person.birth_date,
        member.year.year, active, person.hire_date, member.exit_day, "active" if active else "terminated",
        detailed_status(member), closing.level, closing.pay, member.prorated,
        completed_years(person.birth_date, last_day), completed_years(person.hire_date, last_day),
        eligible, person.eligibility_date if eligible else None,
        enrolled, closing.rate if enrolled else 0, closing.enrollment_date, closing.opted_out,
        member.contribution, member.match, member.core, closing.balance,
    )  # fmt: skip


def detailed_status(member: PersonYear) -> str:
    """One of the four codes; a new hire is someone hired this year."""
    if member.hired_this_year:
        return "new_hire_active" if member.exit_day is None else "new_hire_termination"
    return "continuous_active" if member.exit_day is None else "experienced_termination"


def make_table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Columns of the exact types; decimals come as integers of their last digit (cents, basis points)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [make_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def make_array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """An array of the type; for a decimal type the integers are its unscaled values, exactly."""
    if not pa.types.is_decimal(kind):
        return pa.array(values, kind)
    whole = pa.array(values, pa.int64()).cast(pa.decimal128(19, 0))
    return pa.Array.from_buffers(kind, len(whole), whole.buffers(), whole.null_count)
