"""The first divergence in simulated time, on the oracle's real tables with one fault planted, or several."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.comparison import (
    EVENTS,
    STATE,
    ComparisonPolicy,
    Divergence,
    PolicyEntry,
    compare_tables,
    first_divergence,
)
from differential.comparison.testing import examples, with_cell
from differential.comparison.text import masked_difference
from differential.comparison.worked import example_run, example_worlds
from differential.run import Infeasible, WorldResult
from differential.schemas import EVENT_TYPES, EVENTS_TABLE, STATE_TABLE

pytestmark = pytest.mark.suite

Row: TypeAlias = dict[str, object]
WORLD = example_worlds()[0]
CLEAN: WorldResult = next(iter(example_run().results()))
ROWS: list[Row] = CLEAN.events.to_pylist()
STATES: list[Row] = CLEAN.state.to_pylist()


def events(rows: Iterable[Row]) -> WorldResult:
    return replace(CLEAN, events=pa.Table.from_pylist(list(rows), CLEAN.events.schema))


def state(rows: Iterable[Row]) -> WorldResult:
    return replace(CLEAN, state=pa.Table.from_pylist(list(rows), CLEAN.state.schema))


def place(event_type: str, year: int = 2026, test: Callable[[Row], bool] = lambda _: True) -> int:
    """The first such event's row."""
    return next(
        index
        for index, row in enumerate(ROWS)
        if row["event_type"] == event_type and row["simulation_year"] == year and test(row)
    )


def changed(index: int, **values: object) -> list[Row]:
    return [row | values if position == index else row for position, row in enumerate(ROWS)]


def without(*indexes: int) -> list[Row]:
    return [row for position, row in enumerate(ROWS) if position not in indexes]


def diverge(right: WorldResult, left: WorldResult = CLEAN) -> Divergence:
    found = first_divergence(left, right, WORLD)
    assert found is not None
    mirrored = first_divergence(right, left, WORLD)
    assert mirrored is not None
    swap = {"missing_left": "missing_right", "missing_right": "missing_left"}
    assert mirrored.kind == swap.get(found.kind, found.kind)
    assert (mirrored.left, mirrored.right, mirrored.chain_left) == (found.right, found.left, found.chain_right)
    assert replace(mirrored, kind=found.kind).signature("x") == found.signature("x")
    return found


def is_new(row: Row) -> bool:
    return str(row["employee_id"]).startswith(f"NH_{row['simulation_year']}")


def test_equal_results_do_not_diverge() -> None:
    backwards = pa.array(range(len(ROWS) - 1, -1, -1))
    assert first_divergence(CLEAN, CLEAN) is None
    assert first_divergence(CLEAN, replace(CLEAN, events=CLEAN.events.take(backwards)), WORLD) is None


def test_a_changed_value_names_its_column_cause_first() -> None:
    index = place("raise")
    found = diverge(events(changed(index, event_id="x", event_sequence=9, compensation_amount=Decimal("1.00"))))
    assert (found.table, found.kind, found.year, found.stage) == (EVENTS_TABLE, "value", 2026, "raise (5.7)")
    assert (found.employee_id, found.event_date) == (ROWS[index]["employee_id"], dt.date(2026, 7, 15))
    assert (found.column, found.also) == ("compensation_amount", ("event_sequence", "event_id"))
    assert (found.left, found.right) == (ROWS[index]["compensation_amount"], Decimal("1.00"))
    assert found.signature("sql/polars") == "sql/polars|fct_yearly_events|raise|compensation_amount|value"
    assert found.chain_left[-1] == ROWS[index]
    assert found.chain_left[:-1] == found.chain_right[:-1]


def test_a_missing_event_carries_the_row_and_what_led_there() -> None:
    index = place("raise", 2027)
    found = diverge(events(without(index)))
    assert (found.kind, found.column, found.left, found.right) == ("missing_right", None, ROWS[index], None)
    assert found.chain_left == (*found.chain_right, ROWS[index])
    assert {row["simulation_year"] for row in found.chain_left} >= {2025, 2027}
    assert all(row["employee_id"] == ROWS[index]["employee_id"] for row in found.chain_left)
    assert found.signature("levels") == "levels|fct_yearly_events|raise|-|missing_right"


def test_a_repeated_event_is_a_duplicate() -> None:
    index = place("contribution")
    found = diverge(events([*ROWS, ROWS[index]]))
    assert (found.kind, found.left, found.right) == ("duplicate", 1, 2)
    assert (found.employee_id, found.event_type) == (ROWS[index]["employee_id"], "contribution")
    assert "contribution repeated: 1 in sql, 2 in polars" in found.describe("sql", "polars")


def test_the_earliest_date_decides_then_the_employee_then_the_code() -> None:
    year_end = [index for index, row in enumerate(ROWS) if row["event_date"] == dt.date(2026, 12, 31)]
    index = place("raise")
    rows = [row | {"level_id": 9} if position in {*year_end, index} else row for position, row in enumerate(ROWS)]
    assert diverge(events(rows)).event_type == "raise"
    rows = [row | {"level_id": 9} if position in year_end else row for position, row in enumerate(ROWS)]
    first = min((str(ROWS[i]["employee_id"]), EVENT_TYPES.index(str(ROWS[i]["event_type"]))) for i in year_end)
    # the rows in any order: nothing may come first because it stands first in a table
    for seed in range(5):
        left, right = (random.Random(seed).sample(side, len(side)) for side in (ROWS, rows))
        found = diverge(events(right), events(left))
        assert (found.employee_id, found.event_type) == (first[0], EVENT_TYPES[first[1]])


def test_a_redated_event_stands_at_the_earlier_of_its_dates() -> None:
    july = dt.date(2026, 7, 15)
    early = place("eligibility", 2026, lambda row: row["event_date"] < july)  # type: ignore[operator]
    late = place("eligibility", 2026, lambda row: row["event_date"] > july)  # type: ignore[operator]
    moves = {early: dt.date(2026, 12, 30), late: dt.date(2026, 1, 2)}
    for index, date in moves.items():
        rows = changed(index, event_date=date)
        rows[place("raise")] = rows[place("raise")] | {"level_id": 9}
        assert diverge(events(rows)).event_type == "eligibility"
    rows = changed(late, event_date=dt.date(2026, 12, 30))
    rows[place("raise")] = rows[place("raise")] | {"level_id": 9}
    assert diverge(events(rows)).event_type == "raise"


def test_an_earlier_year_comes_first_whatever_else_differs() -> None:
    rows = changed(place("raise", 2027), compensation_amount=None)
    rows[place("employer_core", 2025)] = ROWS[place("employer_core", 2025)] | {"compensation_amount": Decimal(1)}
    assert diverge(events(rows)).year == 2025


def test_state_of_a_year_comes_after_its_events_and_before_the_next_year() -> None:
    row = next(index for index, item in enumerate(STATES) if item["simulation_year"] == 2026)
    edited = [
        item | {"current_level": 9, "account_balance": None} if i == row else item for i, item in enumerate(STATES)
    ]
    later = replace(state(edited), events=events(changed(place("raise", 2027), level_id=9)).events)
    found = diverge(later)
    assert (found.table, found.stage, found.column) == (STATE_TABLE, "state (6)", "current_level")
    assert found.also == ("account_balance",)
    assert found.chain_left
    assert all(event["simulation_year"] <= 2026 for event in found.chain_left)  # type: ignore[operator]
    same_year = replace(later, events=events(changed(place("employer_core", 2026), level_id=9)).events)
    assert diverge(same_year).table == EVENTS_TABLE


def test_a_missing_state_row() -> None:
    found = diverge(state(STATES[:-1]))
    assert (found.table, found.kind, found.left) == (STATE_TABLE, "missing_right", STATES[-1])
    assert found.signature("x") == "x|fct_workforce_snapshot|-|-|missing_right"


def test_another_leaver_comes_before_what_the_exit_changes() -> None:
    # the leaver's contribution of that day has a lower code, and a raise of January is dated earlier
    exit_ = place("termination", 2026, lambda row: not is_new(row))
    core = place("employer_core", 2026, lambda row: row["employee_id"] == ROWS[exit_]["employee_id"])
    rows = [row | {"compensation_amount": Decimal(1)} if i == core else row for i, row in enumerate(ROWS) if i != exit_]
    early = ROWS[place("raise")] | {"event_type": "promotion", "event_date": dt.date(2026, 1, 2)}
    found = diverge(events([*rows, early]))
    assert (found.stage, found.kind, found.event_type) == ("experienced exits (5.3)", "missing_right", "termination")
    counts = {what: (left, right) for what, left, right in found.context}
    assert counts["termination events in 2026"][0] == counts["termination events in 2026"][1] + 1
    assert "termination events in 2026: sql " in found.describe("sql", "polars")


def test_selection_goes_in_the_order_of_the_rules() -> None:
    experienced = place("termination", 2026, lambda row: not is_new(row))
    hire, leaver = place("hire"), place("termination", 2026, is_new)
    stages = {}
    for gone in ((experienced, hire, leaver), (hire, leaver), (leaver,)):
        stages[len(gone)] = diverge(events(without(*gone))).stage
    assert stages == {3: "experienced exits (5.3)", 2: "hires (5.4)", 1: "new-hire exits (5.5)"}


def test_a_moved_exit_is_selection_but_its_pay_is_not() -> None:
    index = place("termination", 2026, lambda row: not is_new(row))
    moved = diverge(events(changed(index, event_date=dt.date(2026, 12, 30))))
    assert (moved.stage, moved.column) == ("experienced exits (5.3)", "event_date")
    rows = changed(index, compensation_amount=Decimal(1))
    rows[place("promotion", 2026) if any_promotion() else index] |= {"level_id": 9}
    assert diverge(events(rows)).stage != "experienced exits (5.3)"


def any_promotion() -> bool:
    return any(row["event_type"] == "promotion" and row["simulation_year"] == 2026 for row in ROWS)


def test_an_infeasible_world_comes_first_of_all() -> None:
    empty = replace(CLEAN, events=CLEAN.events.slice(0, 0), infeasible=Infeasible("too_many_hires", 2027))
    found = first_divergence(CLEAN, empty)
    assert found is not None
    assert (found.kind, found.year, found.stage) == ("infeasible", 2027, "quotas (5.2)")
    assert (found.left, found.right) == ("has a result", "too_many_hires in 2027")
    assert first_divergence(empty, empty) is None


def test_a_schema_comes_before_the_rows() -> None:
    text = CLEAN.events.set_column(14, "level_id", CLEAN.events["level_id"].cast(pa.string()))
    found = diverge(replace(events(without(3)), events=text))
    assert (found.kind, found.column, found.left, found.right) == ("schema", "level_id", "int32", "string")
    assert found.signature("x") == "x|fct_yearly_events|-|level_id|schema"


def test_rows_that_cannot_be_placed_in_time_are_a_divergence_of_the_schema() -> None:
    def bare(result: WorldResult, name: str) -> WorldResult:
        return replace(result, events=result.events.drop_columns([name]))

    found = first_divergence(bare(CLEAN, "event_date"), bare(events(without(3)), "event_date"))
    assert found is not None
    assert (found.kind, found.column) == ("schema", "event_date")


def test_rows_without_a_year_are_found() -> None:
    found = diverge(events(changed(3, simulation_year=None)))
    assert (found.year, found.kind) == (None, "missing_left")
    assert found.describe()


def test_what_a_policy_excuses_is_no_divergence() -> None:
    def entry(column: str, tolerance: Decimal | None) -> ComparisonPolicy:
        return ComparisonPolicy(entries=(PolicyEntry(EVENTS_TABLE, column, tolerance, "why", dt.date(2099, 1, 1)),))

    index = place("raise")
    right = events(changed(index, compensation_amount=ROWS[index]["compensation_amount"] + Decimal("0.01")))  # type: ignore[operator]
    assert first_divergence(CLEAN, right, WORLD, entry("compensation_amount", Decimal("0.01"))) is None
    assert first_divergence(CLEAN, right, WORLD, entry("compensation_amount", None)) is None
    assert first_divergence(CLEAN, right, WORLD, entry("level_id", Decimal(1))) is not None


def test_description_for_people() -> None:
    index = place("raise", 2026, lambda row: not is_new(row))
    found = diverge(events(changed(index, compensation_amount=Decimal("1.00"), employee_ssn="123-45-6789")))
    text = found.describe("sql", "polars threads=4")
    lines = text.splitlines()
    assert lines[0] == "first divergence: compensation_amount of raise"
    assert "  stage     raise (5.7)" in lines
    assert "  polars threads=4  1.00" in lines
    assert "  also different in this row: employee_ssn" in lines
    assert any(line.startswith("  census: birth_date ") for line in lines)
    marked = [line for line in lines if line.startswith("    !")]
    assert len(marked) == 1
    assert "2026-07-15  raise" in marked[0]
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 132


def test_ssn_are_masked_where_they_diverge() -> None:
    text = diverge(events(changed(place("raise"), employee_ssn="123-45-6789"))).describe()
    assert "employee_ssn of raise" in text
    assert "123-45" not in text
    assert "differ: first at character" in text


def test_how_masked_values_differ_is_told_without_them() -> None:
    told = masked_difference("SSN-900000001", "SSN-900000011")
    assert told == "first at character 12; 13 and 13 characters, both aaa-999999999 (9 a digit, a a letter)"
    told = masked_difference("123-45-6789", "123-45-67")
    assert told == "first at character 10; 11 and 9 characters, 999-99-9999 and 999-99-99 (9 a digit, a a letter)"
    assert masked_difference(None, "1") is None


def test_a_long_career_is_cut_to_its_end() -> None:
    index = place("raise", 2027)
    older = [ROWS[index] | {"simulation_year": year, "event_date": dt.date(year, 7, 15)} for year in range(1980, 2010)]
    left, right = events(ROWS + older), events(without(index) + older)
    text = diverge(right, left).describe()
    assert "earlier events, none of them different" in text
    assert len(text.splitlines()) < 30


def test_signature_holds_no_ids_values_or_dates() -> None:
    for index in (place("raise"), place("hire"), place("termination"), place("contribution")):
        row = ROWS[index]
        signature = diverge(events(without(index))).signature("a/b")
        assert not any(
            str(row[name]) in signature for name in ("employee_id", "event_date", "simulation_year", "event_id")
        )


CELLS = [name for name in CLEAN.events.column_names if name not in EVENTS.key]
OTHER: dict[str, object] = {
    "event_date": dt.date(2025, 1, 1),
    "event_payload": "{}",
    "employee_ssn": "s",
    "event_id": "x",
}


@examples
@given(st.data())
def test_there_is_a_divergence_exactly_where_the_tables_differ(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32))
    rng, rows = random.Random(seed), list(ROWS)
    cells = []
    for _ in range(data.draw(st.integers(0, 3))):
        index, column = rng.randrange(len(rows)), rng.choice(CELLS)
        rows[index] = rows[index] | {column: OTHER.get(column)}
        cells.append((index, column))
    for _ in range(data.draw(st.integers(0, 2))):
        rows.pop(rng.randrange(len(rows)))
    rng.shuffle(rows)
    right = replace(events(rows), state=CLEAN.state)
    comparison = compare_tables(CLEAN.events, right.events, EVENTS, samples=100)
    found = first_divergence(CLEAN, right, WORLD)
    assert (found is None) == comparison.equal
    assert (compare_tables(CLEAN.state, right.state, STATE)).equal
    if found is None:
        return
    years = [dict(sample.key)["simulation_year"] for sample in comparison.samples]
    assert found.year == min(years)  # type: ignore[type-var]
    places = {(dict(sample.key)["employee_id"], dict(sample.key)["event_type"]) for sample in comparison.samples}
    assert (found.employee_id, found.event_type) in places
    assert found.describe("sql", "polars") == found.describe("sql", "polars")


@examples
@given(st.integers(0, len(STATES) - 1), st.sampled_from(CLEAN.state.column_names), st.integers(0, 2**32))
def test_one_state_cell_is_found_where_it_is(index: int, column: str, seed: int) -> None:
    row = STATES[index]
    if column in STATE.key or row[column] is None:
        return
    order = list(range(len(STATES)))
    random.Random(seed).shuffle(order)
    right = replace(CLEAN, state=with_cell(CLEAN.state, index, column, None).take(pa.array(order)))
    found = first_divergence(CLEAN, right, WORLD)
    assert found is not None
    assert (found.year, found.employee_id, found.column) == (row["simulation_year"], row["employee_id"], column)
    assert (found.left, found.right) == (row[column], None)
