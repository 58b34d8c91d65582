"""Faults in eligibility, enrolment, opt-out and escalation: docs/simulation.md, 5.8 to 5.10."""

from __future__ import annotations

from differential.planted.fault import Fault
from differential.planted.patches import sql_patch, text_patch
from differential.planted.populations import automatic_enrolment, delayed_escalation, voluntary_enrolment

_ENROLMENT = "differential.engines.polars.enrolment"


SQL = (
    Fault("X18", "Escalation lowers rates above the maximum to it.",
          {"sql": sql_patch("year/escalation", {"AND e.rate_1_bp < w.escalation_maximum_bp": ""})},
          ("D1", "I16"), ("rate_above_maximum", "rate_at_maximum")),
    Fault("X25", "Voluntary enrolment goes on when it is switched off.",
          {"sql": sql_patch("year/enrollment", {"w.voluntary_enabled AND p.eligibility_date": "p.eligibility_date"})},
          ("D1", "I32", "M09"), lambda world: not world.scenario.voluntary_enrollment.enabled),
    Fault("S20", "An automatic enrolment that falls due on the day of the exit is dropped.",
          {"sql": sql_patch("year/enrollment", {"k.auto_date <= k.end_day": "k.auto_date < k.end_day"})},
          ("D1", "I32"), automatic_enrolment),
    Fault("S21", "Of a voluntary and an automatic enrolment on one day the automatic one wins.",
          {"sql": sql_patch("year/enrollment", {"auto_date < voluntary_date": "auto_date <= voluntary_date"})},
          ("D1",), "voluntary_tie"),
    Fault("S22", "The grace period of an opt-out starts on the day of the enrolment, not the day after.",
          {"sql": sql_patch("year/enrollment", {
              "1 + draw_below(opt_out_day_draw": "draw_below(opt_out_day_draw"})},
          ("D1",), "event_enrollment_change"),
    Fault("S23", "A person who once opted out and came back has the rate escalated.",
          {"sql": sql_patch("year/escalation", {"AND NOT e.has_opted_out AND (": "AND ("})},
          ("D1", "I17"), "re_enrollment_after_opt_out"),
    Fault("S24", "The delay before the first escalation is counted in years of 365 days.",
          {"sql": sql_patch("year/escalation", {
              "anniversary_after(e.plan_date, w.escalation_delay_years)":
              "plus_days(e.plan_date, 365 * w.escalation_delay_years)"})},
          ("D1", "I17"), delayed_escalation),
    Fault("S25", "An enrolment on the effective day is escalated at once.",
          {"sql": sql_patch("year/escalation", {"e.plan_date < y.escalation_day": "e.plan_date <= y.escalation_day"})},
          ("D1", "I17"), "enrolled_on_escalation_day"),
    Fault("S26", "The voluntary rate is drawn from the range of the segment on 1 January.",
          {"sql": sql_patch("year/enrollment", {
              "completed_years(birth_date, window_start)": "completed_years(birth_date, first_day)"})},
          ("D1",), "event_enrollment"),
    Fault("S27", "Opt-outs go by the pay after the raise, not by opening pay.",
          {"sql": sql_patch("year/enrollment", {
              "w.opt_out_by_income[c.income_segment]": "w.opt_out_by_income[least(4, c.income_segment + 1)]"})},
          ("D1",), "event_enrollment_change"),
)  # fmt: skip

POLARS = (
    Fault("P20", "An opt-out is dated past the exit or past 31 December.",
          {"polars": text_patch(_ENROLMENT, "opt_out", {
              'pl.min_horizontal(on + 1 + draws.draw_day(draws.OPT_OUT_DATE, rules["auto.grace"]), "last")':
              'on + 1 + draws.draw_day(draws.OPT_OUT_DATE, rules["auto.grace"])'})},
          ("D1", "I06", "I07"), "event_enrollment_change"),
    Fault("P21", "An escalation goes past the maximum.",
          {"polars": text_patch(_ENROLMENT, "escalation", {
              'pl.min_horizontal(rules["escalation.maximum"], rate + rules["escalation.increment"])':
              '(rate + rules["escalation.increment"])'})},
          ("D1", "I16"), "escalation_clamped"),
    Fault("P22", "Automatic enrolment passes over those who were due before the first year.",
          {"polars": text_patch(_ENROLMENT, "_automatic", {
              'rules["first_year"] & everyone & (due < first_day)': 'pl.lit(False)'})},
          ("D1", "I32"), "auto_at_opening"),
    Fault("P23", "Automatic enrolment counts its window from the hire, not from eligibility.",
          {"polars": text_patch(_ENROLMENT, "_automatic", {
              'due = pl.col("eligible_on") +': 'due = pl.col("hire") +'})},
          ("D1", "I38"), automatic_enrolment),
    Fault("P24", "Everybody of the census is enrolled automatically when only new hires should be.",
          {"polars": text_patch(_ENROLMENT, "_automatic", {
              '& (everyone | (pl.col("hire") >= first_day))': ""})},
          ("D1", "I32"), lambda world: world.scenario.auto_enrollment.scope == "new_hires_only"),
    Fault("P25", "Whoever is enrolled already may enrol voluntarily once more.",
          {"polars": text_patch(_ENROLMENT, "_voluntary", {'& ~pl.col("enrolled") ': ""})},
          ("D1", "I12"), voluntary_enrolment),
    Fault("P26", "Eligibility on the day of the exit makes no event.",
          {"polars": text_patch(_ENROLMENT, "eligibility", {'(day <= pl.col("last"))': '(day < pl.col("last"))'})},
          ("D1", "I11"), ("eligible_on_exit_day", "eligible_31_december")),
    Fault("P27", "The multipliers by income are never applied.",
          {"polars": text_patch(_ENROLMENT, "_probability", {
              '* PPM_PER_BP * rules.by_income(by_income, pl.col("pay")) // BASIS_POINTS': "* PPM_PER_BP"})},
          ("D1",), lambda world: automatic_enrolment(world) or voluntary_enrolment(world)),
)  # fmt: skip
