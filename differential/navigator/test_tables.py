"""The recorded tables of the real system, read as a run's are: what they hold, how its modes differ, and what it says twice."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from differential.comparison import agreement_by_type, compare_runs, first_divergence, load_policy
from differential.comparison.policy import PolicyUse
from differential.mapping import MAPPINGS, OutsideError
from differential.navigator.contradictions import contradictions
from differential.navigator.tables import CLOCKS, keep_tables, read_run
from differential.navigator.testing import FELL_BACK, POLARS, RECORDED, SQL, SQL_4, recorded_world
from differential.run import Run
from differential.schemas import EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA

WORLD = recorded_world()
COUNTS = {
    SQL: {
        2025: {"enrollment": 39, "enrollment_change": 2, "hire": 19, "promotion": 6, "raise": 97, "termination": 16},
        2026: {
            "deferral_escalation": 37, "enrollment": 25, "enrollment_change": 1, "hire": 22, "promotion": 1, "raise": 100,
            "termination": 19,
        },
    },
    POLARS: {
        2025: {
            "deferral_escalation": 17, "enrollment": 37, "enrollment_change": 1, "hire": 19, "promotion": 2, "raise": 6,
            "termination": 10,
        },
        2026: {
            "deferral_escalation": 36, "enrollment": 30, "enrollment_change": 3, "hire": 23, "promotion": 3, "raise": 2,
            "termination": 20,
        },
    },
}  # fmt: skip


def run_of(folder: Path) -> Run:
    events, state, _ = read_run(folder, WORLD)
    return Run(events, state)


@pytest.mark.parametrize("folder", [SQL, POLARS], ids=["sql", "polars"])
def test_events_are_read_in_our_schemas_and_their_numbers(folder: Path) -> None:
    run = run_of(folder)

    assert run.events.schema.equals(EVENTS_SCHEMA)
    assert run.state.schema.equals(STATE_SCHEMA)
    found = Counter(zip(*(run.events[name].to_pylist() for name in ("simulation_year", "event_type")), strict=True))
    assert found == {(year, what): count for year, counts in COUNTS[folder].items() for what, count in counts.items()}
    assert set(run.events["plan_design_id"].to_pylist()) == {WORLD.scenario.plan_design_id}
    assert run.state["has_opted_out"].null_count < run.state.num_rows


def test_four_threads_give_the_rows_of_one() -> None:
    assert compare_runs(run_of(SQL), run_of(SQL_4))[0].equal


def test_its_modes_differ_and_where_is_told_by_event_type_and_column() -> None:
    policy, use = load_policy(MAPPINGS / "planwise_navigator.parity.yaml"), PolicyUse()
    sql, polars = run_of(SQL), run_of(POLARS)

    [comparison] = compare_runs(sql, polars, policy, use)
    found = {one.what: one for one in agreement_by_type(sql, polars, policy)}
    divergence = first_divergence(next(sql.results()), next(polars.results()), WORLD, policy)

    assert comparison.scores.least == 0
    assert use.names == {entry.name for entry in policy.entries}  # strict: no entry that nothing needs
    assert (found["raise"].left, found["raise"].right, found["raise"].both) == (197, 8, 8)
    assert (found["hire"].left, found["hire"].both, found["hire"].columns["employee_age"]) == (41, 41, 34)
    assert found["state rows"].columns["current_salary"] == 192
    assert divergence is not None
    assert divergence.signature("x") == "x|fct_yearly_events|termination|-|missing_right"


def test_all_that_was_normalised_is_told() -> None:
    notes = "\n".join(read_run(SQL, WORLD)[2])

    assert "effective_date TIMESTAMP read as event_date DATE: 52 rows a time of day dropped" in notes
    assert (
        "prorated_annual_compensation DOUBLE read as prorated_annual_compensation DECIMAL(18,2): 233 rows rounded"
        in notes
    )
    assert "cast to our types without changing a value: event_sequence BIGINT, compensation_amount DOUBLE" in notes
    assert "plan_design_id default read as main" in notes
    assert "not compared: event_details, age_band" in notes


def test_what_its_own_tables_say_twice_and_otherwise() -> None:
    found = "\n".join(contradictions(SQL))

    for said in (
        "enrolled in the snapshot, not in int_enrollment_state_accumulator: 5 of 238",
        "last year, missing from int_deferral_rate_state_accumulator_v2: 8 of 122",
        "deferral rate of the snapshot and of int_employee_state_by_year: 161 of 238",
        "plan_design_id of the events and of int_employee_state_by_year: 254 of 254",
    ):
        assert said in found
    assert not list(contradictions(FELL_BACK))  # the tables that could contradict it are not there


def test_tables_that_cannot_be_used_say_so(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match=r"none\.duckdb: it left no database"):
        keep_tables(tmp_path / "none.duckdb", tmp_path / "kept")
    (tmp_path / "text.duckdb").write_text("no database")
    with pytest.raises(OutsideError, match=r"text\.duckdb: cannot be read"):
        keep_tables(tmp_path / "text.duckdb", tmp_path / "kept")
    wrong = tmp_path / "wrong"
    shutil.copytree(SQL, wrong)
    table = pq.read_table(wrong / f"{EVENTS_TABLE}.parquet")
    at = table.column_names.index("effective_date")
    pq.write_table(
        table.set_column(at, "effective_date", pa.array(["soon"] * table.num_rows)), wrong / f"{EVENTS_TABLE}.parquet"
    )
    with pytest.raises(OutsideError, match=r"fct_yearly_events\.event_date: not a DATE"):
        read_run(wrong, WORLD)


def test_recorded_tables_hold_no_clocks_and_are_small() -> None:
    files = list(RECORDED.rglob("*.parquet"))

    assert sum(file.stat().st_size for file in files) < 400_000
    assert not [file for file in files if CLOCKS & set(pq.read_schema(file).names)]
