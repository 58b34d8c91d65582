"""Faults in promotion and raise: docs/simulation.md, 5.6 and 5.7."""

from __future__ import annotations

from differential.planted.fault import Fault
from differential.planted.patches import python_patch, sql_patch, text_patch
from differential.planted.populations import first_year_of_service, promotions_possible, somebody_of_65

_PAY = "differential.engines.polars.pay"

SQL = (
    Fault("X21", "The raise is computed on the pay before the promotion.",
          {"sql": sql_patch("year/career", {
              "raised_pay(pay_2, merit_bp + cola_bp)": "raised_pay(pay_1, merit_bp + cola_bp)"})},
          ("D1", "I19"), "event_promotion"),
    Fault("S10", "A promotion is paid without its cap in money.",
          {"sql": sql_patch("year/career", {", p.pay + w.max_cap_amount) AS promoted_pay": ") AS promoted_pay"})},
          ("D1", "I19"), "promotion_capped_by_amount"),
    Fault("S11", "A promotion needs no year of service.",
          {"sql": sql_patch("year/promotion_candidate", {"service >= 1 AND age < 65": "age < 65"})},
          ("D1", "M21"), first_year_of_service),
    Fault("S12", "People are promoted until they turn 66.",
          {"sql": sql_patch("year/promotion_candidate", {"age < 65": "age <= 65"})},
          ("D1", "M21"), somebody_of_65),
    Fault("S13", "Who leaves on 15 July gets no raise that day.",
          {"sql": sql_patch("year/career", {
              "p.end_day >= y.raise_day AS has_served_a_year": "p.end_day > y.raise_day AS has_served_a_year"})},
          ("D1", "I11"), "exit_on_raise_day"),
    Fault("S14", "The merit rate after a promotion is that of the level left.",
          {"sql": sql_patch("year/career", {
              "CASE WHEN is_promoted THEN merit_above_bp ELSE merit_here_bp END": "merit_here_bp"})},
          ("D1", "I19"), "promotion_and_raise"),
    Fault("S15", "A raise that leaves pay as it was makes no event.",
          {"sql": sql_patch("year/career", {
              "has_served_a_year AND merit_bp + cola_bp > 0 AS is_raised":
              "has_served_a_year AND raised_pay(pay_2, merit_bp + cola_bp) > pay_2 AS is_raised"})},
          ("D1", "I32"), "raise_without_effect"),
    Fault("S16", "Raises do not stop at the greatest pay there is.",
          {"sql": sql_patch("macros", {
              "least(max_pay(), half_up(pay * (10000 + bp), 10000))": "half_up(pay * (10000 + bp), 10000)"})},
          ("D1", "I40"), "raise_to_maximum_pay"),
    Fault("S17", "A promotion hazard above certainty is not cut to it in the payload.",
          {"sql": sql_patch("hazard_table", {
              "least(1000000, undamped_ppm * greatest(0, 10000 - level_dampener_bp * (level - 1)) // 10000)":
              "undamped_ppm * greatest(0, 10000 - level_dampener_bp * (level - 1)) // 10000"})},
          ("D1", "D3"), promotions_possible),
)  # fmt: skip

POLARS = (
    Fault("P03", "The base hazard of promotion is taken ten times too high.",
          {"polars": python_patch(_PAY, "HAZARD_PPM_PER_BP", lambda ppm: 10 * ppm)},
          ("D1",), promotions_possible),
    Fault("P10", "Promotion and opt-out are decided by one stream of draws.",
          {"polars": python_patch("differential.engines.polars.draws", "PROMOTION", lambda stream: stream + 1)},
          ("D1",), promotions_possible),
    Fault("P11", "Bands of age and of service begin a year too late.",
          {"polars": text_patch(_PAY, "_band", {"(years >= start)": "(years > start)"})},
          ("D1",), promotions_possible),
    Fault("P12", "Raises go to those who left before 15 July, too.",
          {"polars": text_patch(_PAY, "raises", {' & (pl.col("last") >= day)': ""})},
          ("D1", "I06"), "event_termination"),
    Fault("P13", "A promotion out of a level takes the increase of the level above.",
          {"polars": text_patch(_PAY, "promotion", {'rules["increase"]': 'rules["increase"].shift(-1).fill_null(0)'})},
          ("D1", "I19"), "event_promotion"),
)  # fmt: skip
