"""Every clause of every invariant is seen to fail: one small corruption of a clean run each, written as SQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from differential.engines import get_engine
from differential.pool import gather
from differential.run import Infeasible, Run
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from differential.variant import Variant
from fixtures.census import Census, Employee
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.strategies import worlds
from fixtures.world import World
from properties.invariants import Tables, all_checks, judge_tables
from properties.relations.designed import busy

ONE = "rowid = (SELECT min(rowid) FROM {table} WHERE {where})"


def _one(table: str, change: str, where: str = "true") -> str:
    """Change one row only."""
    return f"UPDATE {table} SET {change} WHERE {ONE.format(table=table, where=where)}"


def _event(change: str, event_type: str, more: str = "true") -> str:
    return _one("events", change, f"event_type = '{event_type}' AND {more}")


def _delete(event_type: str) -> str:
    return "DELETE FROM events WHERE " + ONE.format(table="events", where=f"event_type = '{event_type}'")


def _add(event_type: str, **columns: str) -> str:
    """An event more: that of another type with other values, for somebody who has none of this type in the year."""
    base = columns.pop("base")
    where = columns.pop("where", "true")
    changes = ", ".join(f"{value} AS {name}" for name, value in {"event_type": f"'{event_type}'", **columns}.items())
    return (
        f"INSERT INTO events SELECT * REPLACE ({changes}) FROM events e WHERE event_type = '{base}' AND {where} AND NOT EXISTS "
        f"(SELECT 1 FROM events x WHERE (x.world, x.employee_id, x.simulation_year, x.event_type) = "
        f"(e.world, e.employee_id, e.simulation_year, '{event_type}')) LIMIT 1"
    )


_RATES = {
    "employee_deferral_rate": "0.05",
    "prev_employee_deferral_rate": "0.01",
    "compensation_amount": "NULL",
    "previous_compensation": "NULL",
}
_AUTO = 'event_payload = \'{"source":"auto"}\''

CORRUPTIONS = {
    "I01.missing": _one("state", "is_active = false", "is_active"),
    "I01.extra": _one("state", "is_active = true", "NOT is_active"),
    "I02.target": _one("state", "is_active = false", "is_active"),
    "I03.hires": _delete("hire"),
    "I03.exits": _delete("termination"),
    "I03.new_hire_exits": "DELETE FROM events WHERE event_type = 'termination' AND event_payload LIKE '%new_hire%'",
    "I03.hires_per_level": _event("level_id = level_id + 1", "hire"),
    "I03.exits_per_level": "UPDATE state SET current_level = 1 + rowid % 2",
    "I03.quotas_add_up": "UPDATE state SET current_level = 99 WHERE current_level = 1",
    "I04.closes": _delete("termination"),
    "I04.new_hire_exits_fit": "UPDATE events SET employee_id = 'nobody' || rowid WHERE event_type = 'termination'",
    "I05.once": "INSERT INTO events SELECT * FROM events WHERE event_type = 'termination' LIMIT 1",
    "I05.gone": _one("state", "is_active = true", "NOT is_active"),
    "I06.after_exit": _event("event_date = event_date + 1", "contribution", "(world, employee_id, simulation_year) IN "
                             "(SELECT (world, employee_id, simulation_year) FROM state WHERE NOT is_active)"),
    "I07.in_year": _event("event_date = event_date + 400", "raise"),
    "I07.before_hire": _event("event_date = '1950-01-01'", "contribution"),
    "I07.exit_after_hire": "UPDATE events SET event_date = (SELECT s.hire_date FROM state s WHERE (s.world, s.employee_id, "
                           "s.simulation_year) = (events.world, events.employee_id, events.simulation_year)) "
                           "WHERE event_type = 'termination' AND event_payload LIKE '%new_hire%'",
    "I07.hire_day": _event("event_date = make_date(simulation_year, 12, 31)", "hire"),
    "I07.stated_day": _event("event_date = event_date + 1", "promotion"),
    "I08.event_id": "UPDATE events SET event_id = (SELECT min(event_id) FROM events) WHERE rowid < 2",
    "I08.uuid": _event("event_id = upper(event_id) || '0'", "hire"),
    "I08.natural_key": "INSERT INTO events "
                       "SELECT * REPLACE (event_date + 1 AS event_date) FROM events WHERE event_type = 'raise' LIMIT 1",
    "I08.same_event": "INSERT INTO events SELECT * REPLACE ('x' AS event_id) FROM events LIMIT 1",
    "I09.one_row": "INSERT INTO state SELECT * FROM state LIMIT 1",
    "I09.missing": "DELETE FROM state WHERE rowid = 0",
    "I09.extra": "INSERT INTO state SELECT * REPLACE ('someone' AS employee_id) FROM state LIMIT 1",
    "I10.known": _event("employee_id = 'someone'", "contribution"),
    "I10.hire_once": "INSERT INTO events "
                     "SELECT * REPLACE (simulation_year + 1 AS simulation_year) FROM events WHERE event_type = 'hire' LIMIT 1",
    "I10.one_ssn": _event("employee_ssn = 'SSN-000000000'", "raise"),
    "I10.one_id": "UPDATE state SET employee_ssn = 'SSN-1'",
    "I10.same_person": _one("state", "birth_date = birth_date + 1", "employee_id NOT LIKE 'NH_%'"),
    "I10.new_id": _event("employee_id = employee_id || '1'", "hire"),
    "I10.new_ssn": _event("employee_ssn = 'SSN-1'", "hire"),
    "I10.reason": _event("event_payload = '{\"reason\":\"retired\"}'", "termination"),
    "I11.active": _one("state", "is_active = false", "is_active"),
    "I11.level": _one("state", "current_level = current_level + 1"),
    "I11.pay": _one("state", "current_salary = current_salary + 0.01"),
    "I11.enrolled": _one("state", "is_enrolled = false", "is_enrolled"),
    "I11.rate": _one("state", "deferral_rate = deferral_rate + 0.0001", "is_enrolled"),
    "I11.enrollment_date": _one("state", "enrollment_date = enrollment_date + 1", "is_enrolled"),
    "I11.opted_out": _one("state", "has_opted_out = false", "has_opted_out"),
    "I11.balance": _one("state", "account_balance = account_balance + 0.01"),
    "I12.enrols_when_out": _event("event_type = 'enrollment'", "deferral_escalation"),
    "I12.opts_out_when_in": "DELETE FROM events WHERE event_type = 'enrollment'",
    "I12.no_automatic_again": f"UPDATE events SET {_AUTO} WHERE event_type = 'enrollment'",
    "I12.opt_out_of_automatic": f"UPDATE events SET event_payload = '{{\"source\":\"voluntary\"}}' WHERE {_AUTO}",
    "I12.opt_out_window": _event("event_date = event_date + 400", "enrollment_change"),
    "I12.not_enrolled_at_start": "UPDATE state SET is_enrolled = true",
    "I13.stays_enrolled": "UPDATE state SET is_enrolled = false WHERE simulation_year % 2 = 0",
    "I13.rate_explained": "UPDATE state SET deferral_rate = 0.9 WHERE simulation_year % 2 = 0",
    "I13.date_kept": "UPDATE state SET enrollment_date = enrollment_date + simulation_year % 2 :: INTEGER",
    "I14.ever": _one("state", "enrollment_date = NULL", "enrollment_date IS NOT NULL"),
    "I14.latest": _one("state", "enrollment_date = enrollment_date + 1", "enrollment_date IS NOT NULL"),
    "I14.not_before": _event("event_date = '1950-01-01'", "enrollment"),
    "I15.rate": _one("state", "deferral_rate = 0", "is_enrolled"),
    "I15.active": _one("state", "is_active = false", "is_enrolled"),
    "I16.explained": "DELETE FROM events WHERE event_type IN ('enrollment', 'deferral_escalation', 'enrollment_change')",
    "I16.previous": _event("prev_employee_deferral_rate = 0.0077", "deferral_escalation"),
    "I16.step": _event("employee_deferral_rate = 0.9977", "deferral_escalation"),
    "I16.below_maximum": _event("prev_employee_deferral_rate = 1", "deferral_escalation"),
    "I16.rises": _event("employee_deferral_rate = prev_employee_deferral_rate", "deferral_escalation"),
    "I17.only_due": _add("deferral_escalation", base="raise", **_RATES),
    "I17.all_due": _delete("deferral_escalation"),
    "I18.automatic": _event("employee_deferral_rate = 0.9977", "enrollment", _AUTO),
    "I18.voluntary": _event("employee_deferral_rate = 0.9977", "enrollment", f"NOT {_AUTO}"),
    "I18.census": "DELETE FROM events WHERE event_type = 'deferral_escalation'",
    "I18.from_zero": _event("prev_employee_deferral_rate = 0.01", "enrollment"),
    "I19.previous": _event("previous_compensation = previous_compensation + 0.01", "raise"),
    "I19.closing": _one("state", "current_salary = current_salary + 0.01"),
    "I19.promotion_step": _event("compensation_amount = compensation_amount + 0.01", "promotion"),
    "I19.raise_step": _event("compensation_amount = compensation_amount + 0.01", "raise"),
    "I19.exit_pay": _event("compensation_amount = compensation_amount + 0.01", "termination"),
    "I20.one_step": _event("level_id = level_id + 1", "promotion"),
    "I20.top": _event("level_id = 11", "promotion"),
    "I20.explained": _one("state", "current_level = current_level + 1"),
    "I20.on_event": _event("level_id = level_id + 1", "contribution"),
    "I20.due": _add("promotion", base="hire"),
    "I21.prorated": _one("state", "prorated_annual_compensation = prorated_annual_compensation + 0.01"),
    "I21.between": _one("state", "prorated_annual_compensation = prorated_annual_compensation * 2"),
    "I22.census": _event("previous_compensation = previous_compensation + 0.01", "raise"),
    "I22.never_falls": "UPDATE state SET current_salary = 0.01 WHERE simulation_year % 2 = 0",
    "I22.bounded": "UPDATE state SET current_salary = 90000000 WHERE simulation_year % 2 = 0",
    "I23.amount": _one("state", "annual_contribution = annual_contribution + 0.01", "annual_contribution > 0"),
    "I23.event": _delete("contribution"),
    "I23.within_pay": _one("state", "annual_contribution = 90000000", "annual_contribution > 0"),
    "I24.deferral": _one("state", "annual_contribution = 90000000"),
    "I24.additions": _one("state", "employer_core_amount = 90000000"),
    "I24.match": _one("state", "employer_match_amount = 90000000"),
    "I24.core": _one("state", "employer_core_amount = 90000000"),
    "I25.amount": _one("state", "employer_match_amount = employer_match_amount + 0.01", "employer_match_amount > 0"),
    "I25.event": _delete("employer_match"),
    "I26.amount": _one("state", "employer_core_amount = employer_core_amount + 0.01", "employer_core_amount > 0"),
    "I26.event": _delete("employer_core"),
    "I27.age": _one("state", "current_age = current_age + 1"),
    "I27.tenure": _one("state", "current_tenure = current_tenure + 1"),
    "I27.one_more": "UPDATE state SET current_tenure = 3",
    "I27.event_age": _event("employee_age = employee_age + 1", "hire"),
    "I27.event_tenure": _event("employee_tenure = employee_tenure + 1", "raise"),
    "I28.event_type": _event("event_type = 'HIRE'", "hire"),
    "I28.joins": "DELETE FROM state WHERE rowid = 0",
    "I28.columns": _event("previous_compensation = 1", "hire"),
    "I28.payload": _event("event_payload = replace(event_payload, ':', ': ')", "hire"),
    "I29.code": _one("state", "detailed_status_code = 'active'"),
    "I29.status": _one("state", "employment_status = 'here'"),
    "I29.active": _one("state", "is_active = false", "is_active"),
    "I29.date": _one("state", "termination_date = termination_date + 1", "NOT is_active"),
    "I30.order": _event("event_sequence = 0", "raise"),
    "I32.raise": _delete("raise"),
    "I32.automatic_off": f"UPDATE events SET {_AUTO} WHERE event_type = 'enrollment'",
    "I32.automatic_out_of_scope": _event("event_date = event_date + 1", "enrollment", _AUTO),
    "I32.automatic_due": f"DELETE FROM events WHERE event_type = 'enrollment' AND {_AUTO}",
    "I32.voluntary_off": f"UPDATE events SET event_payload = '{{\"source\":\"voluntary\"}}' WHERE {_AUTO}",
    "I32.voluntary_certain": "DELETE FROM events WHERE event_type = 'enrollment'",
    "I32.opt_out_off": f"INSERT INTO events SELECT * REPLACE ('enrollment_change' AS event_type) FROM events WHERE event_type = "
                       f"'enrollment'; UPDATE events SET {_AUTO} WHERE event_type = 'enrollment'",
    "I32.opt_out_certain": "DELETE FROM events WHERE event_type = 'enrollment_change'",
    "I32.promotion_off": "INSERT INTO events SELECT * REPLACE ('promotion' AS event_type) FROM events WHERE event_type = 'raise'",
    "I32.promotion_certain": "DELETE FROM events WHERE event_type = 'promotion'",
    "I32.money_off": "UPDATE events SET event_type = 'employer_match' WHERE event_type = 'contribution'",
    "I33.names": _event("scenario_id = 'other'", "hire"),
    "I33.one_name": _one("state", "plan_design_id = 'other'"),
    "I33.years": _one("state", "simulation_year = 1900"),
    "I34.present": "DELETE FROM state WHERE simulation_year % 2 = 0",
    "I35.state": _one("state", "current_age = NULL"),
    "I35.events": _event("level_id = NULL", "contribution"),
    "I37.money": _event("compensation_amount = compensation_amount + 0.01", "employer_core"),
    "I37.people": _one("state", "detailed_status_code = 'new_hire_active'", "detailed_status_code = 'continuous_active'"),
    "I37.balance": _one("state", "account_balance = account_balance + 0.01"),
    "I37.planned": _delete("hire"),
    "I38.date": _one("state", "eligibility_date = eligibility_date + 1", "is_eligible"),
    "I38.flag": _one("state", "is_eligible = false", "is_eligible"),
    "I38.event": _delete("eligibility"),
    "I38.stays": "UPDATE state SET is_eligible = false WHERE simulation_year % 2 = 0",
    "I38.before_enrolment": _event("event_date = '1950-01-01'", "enrollment"),
    "I40.amount": _event("compensation_amount = 0", "contribution"),
    "I40.state_amount": _one("state", "account_balance = -0.01"),
    "I40.rate": _one("state", "deferral_rate = 1.0001"),
    "I40.level": _one("state", "current_level = 0"),
    "I40.hire_pay": _event("compensation_amount = 0.01", "hire"),
    "I40.hire_age": "UPDATE state SET birth_date = '1901-01-01'",
    "I41.rows": "DELETE FROM state",
    "I41.made": "DELETE FROM events WHERE event_type = 'hire'",
}  # fmt: skip
"""Clause to a statement on tables `events` and `state`, which have a column `world` more."""

OTHERWISE = {
    "I04.exits_fit",
    "I04.infeasible",
    "I36.events",
    "I36.state",
    "I41.fallbacks",
    "I31.twelfths",
    "I31.weekdays",
    "I31.over_years",
}
"""Clauses whose corruption is no change of rows in small worlds; each has a test of its own below."""


@pytest.fixture(scope="module")
def sample() -> tuple[list[World], Run]:
    """Designed worlds, so that every clause has something to hold whatever Hypothesis draws, and some drawn ones."""
    designed = [
        busy(),
        *(replace(busy(), scenario=busy().scenario.replace(**rules)) for rules in CERTAIN),
        impossible(),
    ]
    drawn = gather(worlds(), 60, 5)
    chosen = [*designed, *drawn, *(switched_off(world) for world in [busy(), *drawn[:10]])]
    return chosen, get_engine("polars").run(chosen, Variant())


EVERYBODY = dict.fromkeys(("young", "mid_career", "mature", "senior"), 1)
NOBODY = dict.fromkeys(EVERYBODY, 0)
INCOMES = dict.fromkeys(("low_income", "moderate", "high", "executive"), 1)
AUTOMATIC = {"scope": "all_eligible_employees", "window_days": 20, "opt_out_by_income": INCOMES}
CERTAIN: tuple[dict[str, Any], ...] = (
    {"voluntary_enrollment": {"probability_by_age": EVERYBODY, "probability_by_income": INCOMES}},
    {"auto_enrollment": {**AUTOMATIC, "opt_out_by_age": EVERYBODY}, "voluntary_enrollment": {"enabled": False}},
    {"auto_enrollment": {**AUTOMATIC, "opt_out_by_age": NOBODY}, "voluntary_enrollment": {"enabled": False}},
    {"promotion": {"base_hazard": 1, "tenure_multipliers": [5] * 5, "age_multipliers": [5] * 5, "level_dampener": 0}},
    {"target_growth_rate": "-0.7"},
    {"promotion": {"base_hazard": 0}, "deferral_auto_escalation": {"first_escalation_delay_years": 0}},
)
"""The busy world with one thing certain, or impossible."""


def impossible() -> World:
    """A world without a plan: it has to grow, and every hire leaves."""
    return replace(busy(), scenario=busy().scenario.replace(new_hire_termination_rate=1))


def switched_off(world: World) -> World:
    """Everything off that can be; generated worlds have each switch off too rarely for a small sample."""
    off = {"enabled": False}
    nobody = dict.fromkeys(("young", "mid_career", "mature", "senior"), 0)
    automatic = {**off, "opt_out_by_age": nobody}
    rules = world.scenario.replace(auto_enrollment=automatic, employer_match=off, employer_core=off)
    return replace(world, scenario=rules)


def corrupted(run: Run, statements: str) -> Run:
    """The run after SQL statements on its tables."""
    bounds = [(result.events.num_rows, result.state.num_rows) for result in run.results()]
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, table, position in (("events", run.events, 0), ("state", run.state, 1)):
            world = pa.array(np.repeat(np.arange(len(bounds), dtype=np.int32), [bound[position] for bound in bounds]))
            connection.register("rows_in", table.append_column("world", world))
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows_in")
        connection.execute(statements)
        tables = [
            connection.sql(f"SELECT * FROM {name} ORDER BY world").to_arrow_table() for name in ("events", "state")
        ]
    counts = [np.bincount(table["world"].to_numpy(), minlength=len(bounds)).tolist() for table in tables]
    events, state = (
        table.drop_columns("world").cast(schema)
        for table, schema in zip(tables, (EVENTS_SCHEMA, STATE_SCHEMA), strict=True)
    )
    return replace(run, events=events, state=state, bounds=tuple(zip(*counts, strict=True)))


def broken(run: Run, chosen: list[World], id_: str) -> set[str]:
    """The clauses of one check that do not hold."""
    return {f"{check}.{clause}" for check, clause in judge_tables(Tables.of(run, chosen), [id_]).totals}


def test_a_clean_run_breaks_nothing(sample: tuple[list[World], Run]) -> None:
    chosen, run = sample

    assert judge_tables(Tables.of(run, chosen)).totals == {}


@pytest.mark.parametrize("clause", CORRUPTIONS)
def test_a_clause_fails(clause: str, sample: tuple[list[World], Run]) -> None:
    chosen, run = sample

    assert clause in broken(corrupted(run, CORRUPTIONS[clause]), chosen, clause.partition(".")[0])


def test_every_clause_has_a_corruption() -> None:
    clauses = {f"{id_}.{clause}" for id_, check in all_checks().items() for clause in check.clauses}

    assert clauses == set(CORRUPTIONS) | OTHERWISE


def test_exits_of_a_level_may_not_pass_its_people(sample: tuple[list[World], Run]) -> None:
    chosen, run = sample
    twice = "INSERT INTO events SELECT * FROM events WHERE event_type = 'termination'"

    assert "I04.exits_fit" in broken(corrupted(run, twice), chosen, "I04")


def test_an_infeasible_world_has_its_reason(sample: tuple[list[World], Run]) -> None:
    chosen, run = sample
    index, reason = next(iter(run.infeasible.items()))
    other = {**run.infeasible, index: Infeasible(reason.code, reason.year + 1)}

    assert broken(replace(run, infeasible=other), chosen, "I04") == {"I04.infeasible"}
    assert "I04.infeasible" in broken(replace(run, infeasible={}), chosen, "I04")


def test_types_and_columns_are_those_of_section_6(sample: tuple[list[World], Run]) -> None:
    chosen, run = sample
    as_text = run.events.set_column(14, "level_id", run.events["level_id"].cast(pa.string()))
    one_more = run.state.append_column("note", pa.nulls(run.state.num_rows, pa.string()))

    assert broken(replace(run, events=as_text), chosen, "I36") == {"I36.events"}
    assert broken(replace(run, state=one_more), chosen, "I36") == {"I36.state"}
    assert broken(replace(run, state=run.state.drop_columns("is_active")), chosen, "I36") == {"I36.state"}
    assert broken(replace(run, state=run.state.select(run.state.column_names[::-1])), chosen, "I36") == {"I36.state"}


def test_a_fall_back_is_told(sample: tuple[list[World], Run]) -> None:
    chosen, run = sample
    assert run.proof is not None

    assert broken(replace(run, proof=replace(run.proof, fallbacks=("sql instead",))), chosen, "I41") == {
        "I41.fallbacks"
    }


@pytest.fixture(scope="module")
def large() -> tuple[list[World], Run]:
    chosen = [World(generate(6_000, seed=3), Scenario(end_year=2026))]
    return chosen, get_engine("polars").run(chosen, Variant())


@pytest.mark.parametrize(
    ("clause", "change"),
    [
        ("I31.twelfths", "UPDATE events SET event_date = event_date - 20 "
                         "WHERE event_type = 'termination' AND month(event_date) = 6"),
        ("I31.weekdays", "UPDATE events SET event_date = event_date - 1 "
                         "WHERE event_type = 'hire' AND dayofyear(event_date) % 7 = 3"),
        ("I31.over_years", "UPDATE events SET event_date = (SELECT x.event_date + 365 FROM events x WHERE x.event_type = 'hire' "
                           "AND x.simulation_year = 2025 AND right(x.employee_id, 6) = right(events.employee_id, 6)) "
                           "WHERE event_type = 'hire' AND simulation_year = 2026 AND right(employee_id, 6)::INTEGER <= 1100"),
    ],
)  # fmt: skip
def test_dates_that_do_not_spread(clause: str, change: str, large: tuple[list[World], Run]) -> None:
    chosen, run = large

    assert broken(run, chosen, "I31") == set()
    assert clause in broken(corrupted(run, change), chosen, "I31")


def test_rows_that_no_query_can_read_are_a_violation() -> None:
    person = Employee("E1", "SSN-1", dt.date(1990, 1, 1), dt.date(2020, 1, 1), 60_000_00)
    chosen = [World(Census.from_employees([person]), Scenario(end_year=2025))]
    run = get_engine("polars").run(chosen, Variant())
    absurd = corrupted(run, "UPDATE events SET simulation_year = 2147483647")

    assert judge_tables(Tables.of(absurd, chosen)).totals
