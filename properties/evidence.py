"""Evidence: the rows that a violation is about, as aligned text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from differential.comparison.text import columns
from differential.run import WorldResult
from differential.schemas import EVENT_TYPES
from properties.check import Check, Violation

MOST_EVENTS = 11
MOST_STATE = 7
_PAYLOAD = 48
_EVENT_COLUMNS = {
    "event_date": "date",
    "event_type": "event",
    "event_sequence": "no.",
    "compensation_amount": "amount",
    "previous_compensation": "previous",
    "employee_deferral_rate": "rate",
    "prev_employee_deferral_rate": "previous rate",
    "level_id": "level",
    "event_payload": "payload",
}
_STATE_COLUMNS = (
    "detailed_status_code", "hire_date", "termination_date", "current_salary", "current_level", "is_enrolled", "deferral_rate",
    "enrollment_date", "has_opted_out", "eligibility_date", "prorated_annual_compensation", "annual_contribution",
    "employer_match_amount", "employer_core_amount", "account_balance", "current_age", "current_tenure", "is_active",
    "is_eligible", "employment_status", "birth_date",
)  # fmt: skip
"""Most telling first."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """The rows of a violation's year and the year before: those of its employee or of the only one there is, else the numbers
    of rows.

    employee_id: whose rows. events, state: rows of the tables. counts: (year, events by type, people in the state, of them active).
    """

    employee_id: str | None = None
    events: tuple[Row, ...] = ()
    state: tuple[Row, ...] = ()
    counts: tuple[tuple[int, Mapping[str, int], int, int], ...] = ()


def evidence_of(result: WorldResult, violation: Violation) -> Evidence:
    """What a result holds of the place where a check does not hold. Tables that lack the columns to find it give nothing."""
    try:
        years = _years(result.state, violation.year)
        events, state = (_in_years(table, years) for table in (result.events, result.state))
        people = pc.unique(state["employee_id"]).to_pylist()
        employee = violation.employee_id or (people[0] if len(people) == 1 else None)
        if employee is None:
            return Evidence(counts=tuple(_counts(events, state, year) for year in years))
        mine = [table.filter(pc.equal(table["employee_id"], employee)) for table in (events, state)]
        rows = sorted(mine[0].to_pylist(), key=lambda row: (row["simulation_year"], str(row["event_date"]), _code(row)))
        states = sorted(mine[1].to_pylist(), key=lambda row: int(row["simulation_year"]))
        return Evidence(str(employee), tuple(rows), tuple(states))
    except (KeyError, TypeError, pa.ArrowException):  # a table that breaks section 6 has a check of its own
        return Evidence()


def evidence_lines(evidence: Evidence, violation: Violation, entry: Check, run: str = "") -> list[list[str]]:
    """Paragraphs: the events, `!` before those that the violation is about, and the state with a column a year.

    run: said in the headings where there are several, such as ` (plain run)`.
    """
    if evidence.counts:
        return [[f"numbers of rows{run}", *_count_lines(evidence)]]
    parts = []
    if evidence.events:
        parts.append([f"events of {evidence.employee_id}{run}", *_event_lines(evidence.events, violation)])
    if evidence.state:
        parts.append([f"state of {evidence.employee_id}{run}", *_state_lines(evidence.state, violation, entry)])
    return parts


def _years(state: pa.Table, year: int | None) -> list[int]:
    known = sorted(pc.unique(state["simulation_year"]).to_pylist())
    if year is None:
        return known[:2]
    return [one for one in (year - 1, year) if one in known or one == year]


def _in_years(table: pa.Table, years: Sequence[int]) -> pa.Table:
    return table.filter(pc.is_in(table["simulation_year"], pa.array(years, table.schema.field("simulation_year").type)))


def _counts(events: pa.Table, state: pa.Table, year: int) -> tuple[int, Mapping[str, int], int, int]:
    of_year = [table.filter(pc.equal(table["simulation_year"], year)) for table in (events, state)]
    numbers = {item["values"]: item["counts"] for item in pc.value_counts(of_year[0]["event_type"]).to_pylist()}
    active = pc.sum(pc.cast(of_year[1]["is_active"], pa.int64())).as_py() or 0
    return year, numbers, of_year[1].num_rows, int(active)


def _count_lines(evidence: Evidence) -> list[str]:
    types = [name for name in EVENT_TYPES if any(numbers.get(name) for _, numbers, _, _ in evidence.counts)]
    rows = [("", *(str(year) for year, *_ in evidence.counts))]
    rows += [(name, *(str(numbers.get(name, 0)) for _, numbers, _, _ in evidence.counts)) for name in types]
    rows.append(("people in the state", *(str(people) for _, _, people, _ in evidence.counts)))
    rows.append(("of them active", *(str(active) for *_, active in evidence.counts)))
    return columns(rows)


def _code(row: Row) -> int:
    return EVENT_TYPES.index(row["event_type"]) if row["event_type"] in EVENT_TYPES else len(EVENT_TYPES)


def _event_lines(events: Sequence[Row], violation: Violation) -> list[str]:
    marked = [_is_meant(row, violation) for row in events]
    last = max((at for at, meant in enumerate(marked) if meant), default=len(events) - 1)
    first = max(0, last + 1 - MOST_EVENTS)
    shown = list(zip(events, marked, strict=True))[first : first + MOST_EVENTS]
    names = [name for name in _EVENT_COLUMNS if any(row.get(name) is not None for row, _ in shown)]
    rows = [("", *(_EVENT_COLUMNS[name] for name in names))]
    rows += [("!" if meant else "", *(_cell(row.get(name)) for name in names)) for row, meant in shown]
    left_out = len(events) - len(shown)
    return [*columns(rows, " "), *([f"  ... and {left_out} more"] if left_out else [])]


def _is_meant(row: Row, violation: Violation) -> bool:
    if violation.event_type is None:
        return False
    return row["event_type"] == violation.event_type and violation.year in (None, row["simulation_year"])


def _state_lines(state: Sequence[Row], violation: Violation, entry: Check) -> list[str]:
    named = " ".join((entry.clauses.get(violation.clause, ""), violation.found, violation.expected))
    names = [
        name for name in _STATE_COLUMNS if any(row.get(name) not in (None, False) and row.get(name) for row in state)
    ]
    ranked = sorted(names, key=lambda name: (not re.search(rf"\b{name}\b", named), not _changes(state, name)))
    rows = [("", *(str(row["simulation_year"]) for row in state))]
    kept = [name for name in _STATE_COLUMNS if name in ranked[:MOST_STATE]]
    rows += [(name, *(_cell(row.get(name)) for row in state)) for name in kept]
    return columns(rows)


def _changes(state: Sequence[Row], name: str) -> bool:
    return len({str(row.get(name)) for row in state}) > 1


def _cell(value: object) -> str:
    if value is None:
        return "-"
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return text if len(text) <= _PAYLOAD else f"{text[: _PAYLOAD - 1]}…"
