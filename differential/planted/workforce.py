"""Faults in quotas, exits and hires: docs/simulation.md, 5.1 to 5.5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from differential.planted.fault import Fault
from differential.planted.patches import python_patch, sql_patch, text_patch
from differential.planted.populations import anybody, two_years

_POLARS = "differential.engines.polars"


def half_even_target() -> str:
    """SQL for the target headcount, rounded half to even."""
    product = "target * (10000 + growth_bp)"
    return (
        f"CASE WHEN {product} % 10000 = 5000 THEN {product} // 10000 + ({product} // 10000) % 2 "
        f"ELSE half_up({product}, 10000) END"
    )


def _with_leavers(carried: Callable[..., Any]) -> Callable[..., Any]:
    """The next opening set with everyone of the year, gone or not."""

    def faulty(people: Any) -> Any:
        from differential.engines.polars import state
        from differential.engines.polars.people import FACTS, STATE

        return state._year_end(people).select(*FACTS, *STATE)

    return faulty


def _from_the_census(make_year: Callable[..., Any]) -> Callable[..., Any]:
    def faulty(simulation: Any, *arguments: Any) -> Any:
        make_year(simulation, *arguments)
        return simulation.opening

    return faulty


SQL = (
    Fault("X05", "The target headcount is rounded half to even, not half up.",
          {"sql": sql_patch("quotas", {"half_up(target * (10000 + growth_bp), 10000)": half_even_target()})},
          ("D1", "I02"), "target_half"),
    Fault("X08", "A new hire's exit is dated from 1 January, not from the hire.",
          {"sql": sql_patch("year/roster", {
              "plus_days(hire_date, 1 + draw_below(exit_draws[2], y.last_day - hire_date))":
              "plus_days(y.first_day, draw_below(exit_draws[2], y.days))"})},
          ("D1", "I07"), "event_hire"),
    Fault("X10", "Exits are selected by a draw of 100 buckets.",
          {"sql": sql_patch("year/roster", {
              "ORDER BY p.exit_draws[1], p.employee_id": "ORDER BY p.exit_draws[1] % 100, p.employee_id"})},
          ("D1", "M16"), "event_termination"),
    Fault("S01", "A tie for the last exit or hire of the split over levels goes to the higher level.",
          {"sql": sql_patch("year/level_quota", {
              "ORDER BY exits_rest DESC, level": "ORDER BY exits_rest DESC, level DESC",
              "ORDER BY hires_rest DESC, level": "ORDER BY hires_rest DESC, level DESC"})},
          ("D1", "I03"), ("exit_split_tie", "hire_split_tie")),
    Fault("S02", "Hires are rounded down, so that the target is missed by one.",
          {"sql": sql_patch("quotas", {"(10000 * net + 9999 - h)": "(10000 * net)"})},
          ("D1", "I03"), "hires_rounded_up"),
    Fault("S03", "Last year's hires leave at the rate of everyone else.",
          {"sql": sql_patch("quotas", {
              "((target - greatest(net, 0)) * termination_bp + greatest(net, 0) * new_hire_termination_bp)":
              "(target * termination_bp)"})},
          ("D1", "I03"), "event_hire"),
    Fault("S04", "A hire's birth day is drawn by the stream of the age.",
          {"sql": sql_patch("year/hired", {"draws[3] AS birth_day_draw": "draws[2] AS birth_day_draw"})},
          ("D1",), "event_hire"),
    Fault("S05", "The date of an exit is drawn by the stream that selected it.",
          {"sql": sql_patch("year/roster", {
              "plus_days(y.first_day, draw_below(exit_draws[2], y.days))":
              "plus_days(y.first_day, draw_below(exit_draws[1], y.days))"})},
          ("D1",), "event_termination"),
    Fault("S06", "Social security numbers of hires start again every year.",
          {"sql": sql_patch("year/people", {
              "(900000000 + year_index * 1000000 + hire_number)": "(900000000 + hire_number)"})},
          ("D1", "I10"), "event_hire"),
    Fault("S07", "The hires of a year are numbered from 1 in every level.",
          {"sql": sql_patch("year/people", {
              "generate_series(hires_below::BIGINT + 1, (hires_below + hires)::BIGINT)":
              "generate_series(1, hires::BIGINT)"})},
          ("D1", "I10", "error"), "every_level"),
    Fault("S08", "Nobody is hired at the top of the band: the drawn pay stays a cent below it.",
          {"sql": sql_patch("year/hired", {"l.maximum - l.minimum + 1": "greatest(1, l.maximum - l.minimum)"})},
          ("D1",), "event_hire"),
)  # fmt: skip

POLARS = (
    Fault("X01", "Those who left in one year are in the opening set of the next, and still get raises.",
          {"polars": python_patch(f"{_POLARS}.state", "carried", _with_leavers)},
          ("D1", "I01", "I06"), "event_termination"),
    Fault("X03", "Every year starts from the census, not from the state that the year before closed with.",
          {"polars": python_patch(f"{_POLARS}.simulate", "Simulation._year", _from_the_census)},
          ("D1", "I01", "I19"), two_years),
    Fault("P04", "Exits of new hires are selected level by level, not over all of them.",
          {"polars": text_patch(f"{_POLARS}.exits_and_hires", "make_hires", {'.over("world")': '.over("slot")'})},
          ("D1", "I03"), "event_hire"),
    Fault("P05", "A hire's age is one entry too young where the draw is at the end of its weight.",
          {"polars": text_patch(f"{_POLARS}.exits_and_hires", "_drawn_age", {"(drawn >= rules": "(drawn > rules"})},
          ("D1",), "event_hire"),
    Fault("P06", "The keys of hires are those of the first year in which anybody asked for them.",
          {"polars": text_patch(f"{_POLARS}.exits_and_hires", "hire_keys",
                                {"known = _keys": "year = min([year, *_keys_of_year])\n    known = _keys"})},
          ("D1",), "event_hire"),
    Fault("P07", "A world whose new hires would all leave is said to need too many of them.",
          {"polars": text_patch(f"{_POLARS}.quotas", "plan_quotas", {
              '("new_hire_exits_certain", certain)': '("too_many_hires", certain)'})},
          ("D1", "I04"), "infeasible_new_hire_exits"),
    Fault("P08", "Draws of days leave out the last day.",
          {"polars": text_patch(f"{_POLARS}.draws", "draw_day",
                                {"days.cast(pl.UInt64)": "pl.max_horizontal(days - 1, pl.lit(1, pl.Int32)).cast(pl.UInt64)"})},
          ("D1",), anybody),
    Fault("P09", "Census rows hired on the opening date count as later hires.",
          {"polars": text_patch(f"{_POLARS}.people", "first_opening",
                                {'(pl.col("hire") < rules["first_day"])': '(pl.col("hire") < rules["first_day"] - 1)'})},
          ("D1", "I01"), "census_hired_on_opening_date"),
)  # fmt: skip
