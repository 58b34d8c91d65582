"""Faults in what the tables say: state, events, ids, payloads, dates and types. docs/simulation.md, 1 and 6."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from differential.planted.fault import Fault
from differential.planted.patches import python_patch, sql_patch, text_patch
from differential.planted.populations import anybody

_POLARS = "differential.engines.polars"
_YEAR_END = "make_date(year, 12, 31)"


def _text_levels(schema: pa.Schema) -> pa.Schema:
    """The schema of an empty frame that nobody typed: a level is text, and there is an index column."""
    names = [name for name in ("level_id", "current_level") if name in schema.names]
    for name in names:
        schema = schema.set(schema.get_field_index(name), pa.field(name, pa.string()))
    return schema.append(pa.field("index", pa.int64()))


def _untyped_where_empty(gather: Any) -> Any:
    def faulty(years: Any, schema: pa.Schema, worlds: int) -> Any:
        table, totals = gather(years, schema, worlds)
        return (table if table.num_rows else _text_levels(schema).empty_table()), totals

    return faulty


SQL = (
    Fault("X15", "The state keeps last year's `not enrolled` over this year's enrolment.",
          {"sql": sql_patch("state", {"AND is_in_plan AS": "AND is_in_plan AND enrolled_on IS NULL AS"})},
          ("D1", "I11"), "event_enrollment"),
    Fault("X24", "Tables without rows have a level of type text, and one column more.",
          {"sql": python_patch("differential.engines.sql.engine", "gather", _untyped_where_empty)},
          ("D1", "I36", "M25", "L"), "nobody_to_start_with"),
    Fault("S40", "The rate of those who left stays in the state.",
          {"sql": sql_patch("state", {
              "rate(CASE WHEN enrolled_at_end THEN rate_2_bp ELSE 0 END)": "rate(coalesce(rate_2_bp, 0))"})},
          ("D1", "I15"), ("event_termination", "event_enrollment_change")),
    Fault("S41", "The date of the enrolment is forgotten with the opt-out.",
          {"sql": sql_patch("state", {
              "coalesce(enrolled_on, enrollment_date) AS":
              "CASE WHEN opted_out_on IS NULL THEN coalesce(enrolled_on, enrollment_date) END AS"})},
          ("D1", "I14"), "event_enrollment_change"),
    Fault("S42", "An eligibility on the day of a promotion shows the level that the promotion leads to.",
          {"sql": sql_patch("events", {"e.code >= 3": "e.code >= 2"})},
          ("D1", "I20"), "eligible_on_promotion_day"),
    Fault("S43", "Events of one day are in the reverse order of their codes.",
          {"sql": sql_patch("events", {"ORDER BY e.event_date, e.code)": "ORDER BY e.event_date, e.code DESC)"})},
          ("D1", "I30"), anybody),
    Fault("S44", "The ids of events leave out the plan design.",
          {"sql": sql_patch("load_world", {
              "fold(fold(0::UHUGEINT, text_key(scenario_id)), text_key(plan_design_id))":
              "fold(0::UHUGEINT, text_key(scenario_id))"})},
          ("D1",), anybody),
    Fault("S45", "The account balance leaves out core contributions.",
          {"sql": sql_patch("state", {"balance + contribution + match + core": "balance + contribution + match"})},
          ("D1", "I11"), "event_employer_core"),
    Fault("S46", "The age of those who left is their age on 31 December.",
          {"sql": sql_patch("state", {"completed_years(birth_date, end_day)": f"completed_years(birth_date, {_YEAR_END})"})},
          ("D1",), "event_termination"),
    Fault("S47", "The payload of a raise takes cola for merit and merit for cola.",
          {"sql": sql_patch("events/04_raise", {
              "rate(cola_bp)": "rate(merit_bp)", ',"merit_rate":\' || rate(merit_bp)': ',"merit_rate":\' || rate(cola_bp)'})},
          ("D1", "I19"), "event_raise"),
    Fault("S48", "Raises are listed twice.",
          {"sql": sql_patch("events", {
              "FROM event_row e": "FROM (FROM event_row UNION ALL FROM event_row WHERE code = 4) e"})},
          ("D1", "I08"), "event_raise"),
    Fault("S49", "The enrolment's previous rate is null, not 0.",
          {"sql": sql_patch("events/05_enrollment", {"0::BIGINT AS previous_rate_bp": "NULL::BIGINT AS previous_rate_bp"})},
          ("D1", "I35"), "event_enrollment"),
)  # fmt: skip

POLARS = (
    Fault("P40", "2100 is a leap year.",
          {"polars": text_patch(f"{_POLARS}.dates", "new_years", {
              "before // 100 + before // 400": "15"})},
          ("D1", "I21"), "common_century"),
    Fault("P41", "The anniversary of 29 February in a common year is 1 March.",
          {"polars": text_patch(f"{_POLARS}.dates", "on_leap_index", {"(index >= _LEAP_DAY)": "(index > _LEAP_DAY)"})},
          ("D1", "I27"), ("born_29_february", "census_hired_29_february", "hire_29_february", "enrollment_29_february")),
    Fault("P42", "The payload of a promotion names the level left as the level reached.",
          {"polars": text_patch(f"{_POLARS}.texts", "promotion_text", {
              ',"to_level":\'), pl.col(new_level).cast': ',"to_level":\'), (pl.col(new_level) - 1).cast'})},
          ("D1", "I20"), "event_promotion"),
    Fault("P43", "Rates in payloads have three decimals.",
          {"polars": text_patch(f"{_POLARS}.texts", "rate_text", {":04d": ":03d"})},
          ("D1",), anybody),
    Fault("P44", "The date of an eligibility still to come is in the state.",
          {"polars": text_patch(f"{_POLARS}.state", "state_rows", {
              'pl.when(pl.col("eligible_on") <= last).then("eligible_on")': 'pl.col("eligible_on")'})},
          ("D1", "I38"), ("core_before_eligibility", "never_eligible")),
    Fault("P45", "New hires who stay and leavers of the opening set change status codes.",
          {"polars": python_patch(f"{_POLARS}.tables", "_STATUS", lambda codes: codes.take(pa.array([0, 2, 1, 3])))},
          ("D1", "I29"), ("event_termination", "event_hire")),
    Fault("P46", "Contributions of nothing are listed as events.",
          {"polars": text_patch(f"{_POLARS}.families", "_shapes", {
              'col("contribution") > 0': 'col("contribution") >= 0'})},
          ("D1", "I23"), anybody),
    Fault("P47", "An exit shows the pay before the year's raise.",
          {"polars": text_patch(f"{_POLARS}.families", "_shapes", {
              "numbers.termination(), final_pay": 'numbers.termination(), col("promoted_pay")'})},
          ("D1", "I19"), "event_termination"),
)  # fmt: skip
