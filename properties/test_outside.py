"""Tables of another system: read under a mapping, judged without an engine, and refused with a reason."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

from differential.engines import get_engine
from differential.mapping import MAPPINGS
from differential.schemas import EVENTS_TABLE, STATE_TABLE
from differential.variant import Variant
from fixtures.census import Census, Employee
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.invariants import judge_tables
from properties.outside import Mapped, OutsideError, load_mapping, load_results

WORLD = World(generate(60, seed=4), Scenario(end_year=2026))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "ours.duckdb"
    get_engine("sql").run([WORLD], Variant(database=path))
    return path


def edited(database: Path, folder: Path, *statements: str) -> Path:
    path = folder / "theirs.duckdb"
    path.write_bytes(database.read_bytes())
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def test_our_own_tables_hold_with_and_without_their_inputs(database: Path) -> None:
    alone = judge_tables(load_results(database, Mapped()).tables)
    with_census = judge_tables(load_results(database, Mapped(), WORLD.census).tables)
    whole = judge_tables(load_results(database, Mapped(), WORLD.census, WORLD.scenario).tables)

    assert alone.totals == with_census.totals == whole.totals == {}
    unchecked = [sum(map(len, one.unchecked.values())) for one in (alone, with_census, whole)]
    assert unchecked[0] > unchecked[1] > unchecked[2] > 0  # what the proof would say stays unchecked
    assert set(whole.unchecked) == {"I37", "I41"}


def test_a_wrong_row_is_found_with_no_engine(database: Path, tmp_path: Path) -> None:
    wrong = edited(
        database, tmp_path, f"UPDATE {EVENTS_TABLE} SET event_date = event_date + 400 WHERE event_type = 'raise'"
    )

    assert ("I07", "in_year") in judge_tables(load_results(wrong, Mapped()).tables).totals


def test_parquet_under_other_names_and_types(tmp_path: Path) -> None:
    run = get_engine("polars").run([WORLD], Variant())
    events = run.events.rename_columns(
        [{"event_date": "effective"}.get(name, name) for name in run.events.column_names]
    )
    place = events.column_names.index("compensation_amount")
    events = events.set_column(place, "compensation_amount", events["compensation_amount"].cast(pyarrow.float64()))
    state = run.state.drop_columns("is_active")
    pyarrow.parquet.write_table(events, tmp_path / "log.parquet")
    pyarrow.parquet.write_table(state, tmp_path / f"{STATE_TABLE}.parquet")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "events: {table: log, columns: {event_date: effective}}\nstate: {columns: {is_active: termination_date IS NULL}}\n"
    )

    outside = load_results(tmp_path, load_mapping(mapping), WORLD.census, WORLD.scenario)

    assert outside.notes == ()
    assert judge_tables(outside.tables).totals == {}


def test_a_missing_column_is_told_and_what_needs_it_is_not_checked(database: Path, tmp_path: Path) -> None:
    without = edited(
        database, tmp_path, f"DROP VIEW employee_state_by_year; ALTER TABLE {STATE_TABLE} DROP account_balance"
    )

    outside = load_results(without, Mapped(), WORLD.census)
    judged = judge_tables(outside.tables, ["I11", "I35"])

    assert outside.notes == (f"{STATE_TABLE} has no account_balance; what needs them is not checked",)
    assert judged.totals == {}
    assert "state.account_balance" in judged.unchecked["I11"]["balance"]


def test_scenarios_in_one_file_are_judged_each_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "two.duckdb"
    for name in ("a", "b"):
        world = replace(WORLD, scenario=WORLD.scenario.model_copy(update={"scenario_id": name}))
        get_engine("sql").run([world], Variant(database=path))

    outside = load_results(path, Mapped())

    assert judge_tables(outside.tables).totals == {}
    assert outside.notes == ("2 scenarios, each judged as a run of its own: a/main, b/main",)


def test_what_cannot_be_read_says_why(database: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.duckdb"
    text.write_text("no database")
    empty = tmp_path / "empty"
    empty.mkdir()
    odd = edited(database, tmp_path, f"ALTER TABLE {EVENTS_TABLE} ALTER event_date TYPE VARCHAR USING 'someday'")
    nobody = Census.from_employees([Employee("E1", "SSN-1", dt.date(1990, 1, 1), dt.date(2020, 1, 1), 1_00)])

    for path, said in (
        (tmp_path / "none.duckdb", "no such file or folder"),
        (text, "cannot be read"),
        (empty, f"no table {EVENTS_TABLE}; there is none"),
        (odd, f"{EVENTS_TABLE}.event_date: not a DATE"),
    ):
        with pytest.raises(OutsideError, match=said):
            load_results(path, Mapped())
    with pytest.raises(OutsideError, match="needs --census"):
        load_results(database, Mapped(), scenario=Scenario())
    assert judge_tables(load_results(database, Mapped(), nobody).tables).totals


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("event: {}", "the file: unknown key 'event': expected events, state"),
        ("events: {columns: {day: d}}", "events.columns: unknown key 'day'"),
        ("events: {columns: {event_date: 3}}", "events.columns.event_date: expected a column or an expression, got 3"),
        ("events: {table: [1]}", "events.table: expected a table's name"),
        ("events: [", "not valid YAML"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_where(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(text)

    with pytest.raises(OutsideError, match=said):
        load_mapping(path)


def test_the_mapping_that_comes_with_the_suite_can_be_read() -> None:
    mapped = load_mapping(MAPPINGS / "planwise_navigator.yaml")

    assert mapped.events.columns["event_date"] == "effective_date"
