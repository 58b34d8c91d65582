"""Faults that all engines have alike, as after one misread sentence of docs/simulation.md: comparing engines shows nothing.

Each is planted in the SQL engine, the Polars engine and the oracle so that the three still agree; a test holds that.
"""

from __future__ import annotations

from collections.abc import Mapping

from differential.planted.fault import Fault, Planting
from differential.planted.patches import python_patch, sql_patch, text_patch, together
from differential.planted.populations import anybody, delayed_escalation, pay_at_a_band
from differential.planted.workforce import half_even_target

_POLARS, _ORACLE = "differential.engines.polars", "differential.engines.oracle"


def _alike(sql: Planting, polars: Planting, oracle: Planting) -> Mapping[str, Planting]:
    return {"sql": sql, "polars": polars, "oracle": oracle}


def _polars(place: str, edits: Mapping[str, str]) -> Planting:
    module, _, name = place.partition(":")
    return text_patch(f"{_POLARS}.{module}", name, edits)


def _oracle(place: str, edits: Mapping[str, str]) -> Planting:
    module, _, name = place.partition(":")
    return text_patch(f"{_ORACLE}.{module}", name, edits)


WORKFORCE = (
    Fault("B01", "The target headcount is rounded half to even.", _alike(
        sql_patch("quotas", {"half_up(target * (10000 + growth_bp), 10000)": half_even_target()}),
        _polars("quotas:plan_quotas", {
            "target = (2 * n * (_ONE + growth) + _ONE) // (2 * _ONE)":
            "target = np.rint(n * (_ONE + growth) / _ONE).astype(np.int64)"}),
        _oracle("quotas:year_quota", {"half_up(n * (10_000 + g), 10_000)": "round(n * (10_000 + g) / 10_000)"}),
    ), ("I02",), "target_half"),
    Fault("B02", "A pay at the minimum of a band is in the level below.", _alike(
        together(
            sql_patch("year/opening_census", {"c.pay_cents >= l.minimum": "c.pay_cents > l.minimum"}),
            sql_patch("year/opening_folded", {"c.pay_cents >= l.minimum": "c.pay_cents > l.minimum"}),
        ),
        _polars("people:first_opening", {'(pl.col("pay") >= band)': '(pl.col("pay") > band)'}),
        _oracle("workforce:initial_level", {"band.minimum <= pay": "band.minimum < pay"}),
    ), ("M21", "I20", "I11"), pay_at_a_band),
    Fault("B03", "The seed of the scenario is not used: every run draws as seed 42.", _alike(
        sql_patch("load_world", {"fold(0::UHUGEINT, random_seed)": "fold(0::UHUGEINT, 42::UBIGINT)"}),
        _polars("scenario_values:world_values", {"fold_number(0, s.random_seed)": "fold_number(0, 42)"}),
        together(
            _oracle("workforce:opening_set", {"draws.fold(0, scenario.random_seed)": "draws.fold(0, 42)"}),
            _oracle("workforce:make_hire", {"draws.fold(0, scenario.random_seed)": "draws.fold(0, 42)"}),
        ),
    ), ("M13", "M11"), lambda world: world.scenario.random_seed != 42),
    Fault("B04", "Nobody is hired in the second half of the year.", _alike(
        sql_patch("year/hired", {"y.days - 1": "y.days // 2"}),
        _polars("exits_and_hires:make_hires", {'rules["days"] - 1': 'rules["days"] // 2'}),
        _oracle("workforce:make_hire", {"(year.days - 1)": "(year.days // 2)"}),
    ), ("I31",), "event_hire"),
)  # fmt: skip

CAREERS = (
    Fault("B05", "The raise is computed on the pay before the promotion.", _alike(
        sql_patch("year/career", {
            "WHEN has_served_a_year THEN raised_pay(pay_2, merit_bp + cola_bp)":
            "WHEN has_served_a_year AND merit_bp + cola_bp > 0 THEN raised_pay(pay_1, merit_bp + cola_bp)"}),
        _polars("pay:raises", {"half_up(pay * (step": 'half_up(pl.col("pay") * (step'}),
        _oracle("simulation:apply_raise", {"member.level, before)": "member.level, member.opening.pay)"}),
    ), ("I19",), "event_promotion"),
    Fault("B06", "A promotion is paid without its cap in money.", _alike(
        sql_patch("year/career", {", p.pay + w.max_cap_amount) AS promoted_pay": ") AS promoted_pay"}),
        _polars("pay:promotion", {'pay + rules["promotion.max_cap_amount"],': ""}),
        _oracle("pay:promoted_pay", {"pay + rules.max_cap_amount,": ""}),
    ), ("I19",), "promotion_capped_by_amount"),
    Fault("B07", "A year of service that is completed on 15 July is not counted for the raise.", _alike(
        sql_patch("year/career", {
            "completed_years(p.hire_date, y.raise_day) >= 1":
            "completed_years(p.hire_date, plus_days(y.raise_day, -1)) >= 1"}),
        _polars("pay:raises", {'service_on(day, rules["year"])': 'service_on(day - 1, rules["year"])'}),
        _oracle("pay:raise_due", {
            "completed_years(member.person.hire_date, day)":
            "completed_years(member.person.hire_date, day.replace(day=14))"}),
    ), ("M21", "I32"), "one_year_on_raise_day"),
    Fault("B08", "The service of those who left is counted to 31 December.", _alike(
        sql_patch("state", {"completed_years(hire_date, end_day)": "completed_years(hire_date, make_date(year, 12, 31))"}),
        _polars("state:state_rows", {'(last < pl.col("hire_day"))': '(rules["year_end"] < pl.col("hire_day"))'}),
        _oracle("tables:state_row", {
            "completed_years(person.hire_date, last_day)": "completed_years(person.hire_date, member.year.last_day)"}),
    ), ("I27",), "event_termination"),
)  # fmt: skip

PLAN = (
    Fault("X19", "Automatic enrolment leaves out those hired on the cutoff day.", _alike(
        sql_patch("year/enrollment", {"p.hire_date >= w.auto_cutoff": "p.hire_date > w.auto_cutoff"}),
        _polars("enrolment:_automatic", {
            '(pl.col("hire") >= rules["auto_cutoff"])': '(pl.col("hire") > rules["auto_cutoff"])'}),
        _oracle("enrolment:automatic_candidate", {
            "within_cutoff(hire, rules.hire_date_cutoff)":
            "(rules.hire_date_cutoff is None or hire > rules.hire_date_cutoff)"}),
    ), ("M21", "I32"), "auto_cutoff_day"),
    Fault("B10", "The waiting period is a day too long.", _alike(
        sql_patch("year/person", {"w.waiting_period_days)": "w.waiting_period_days + 1)"}),
        _polars("people:facts", {
            'rules["eligibility.waiting_period_days"].cast(pl.Int32)':
            'rules["eligibility.waiting_period_days"].cast(pl.Int32) + 1'}),
        _oracle("workforce:eligibility_date", {"days=rules.waiting_period_days": "days=rules.waiting_period_days + 1"}),
    ), ("I38", "M21"), anybody),
    Fault("B11", "A person who once opted out and came back has the rate escalated.", _alike(
        sql_patch("year/escalation", {"AND NOT e.has_opted_out AND (": "AND ("}),
        _polars("enrolment:escalation", {'pl.col("opted_out") | (pl.col("opts_out_on")': '(pl.col("opts_out_on")'}),
        _oracle("enrolment:escalation_conditions", {"not member.opening.opted_out and (": "("}),
    ), ("I17",), "re_enrollment_after_opt_out"),
    Fault("B12", "Escalation does not wait for its delay.", _alike(
        sql_patch("year/escalation", {
            "AND anniversary_after(e.plan_date, w.escalation_delay_years) <= y.escalation_day": ""}),
        _polars("enrolment:escalation", {"& ~opted_out & due &": "& ~opted_out &"}),
        _oracle("enrolment:escalation_conditions", {
            "anniversary(enrolled, enrolled.year + delay) <= day": "delay >= 0"}),
    ), ("I17",), delayed_escalation),
)  # fmt: skip

MONEY = (
    Fault("B13", "The last day of the enrolled window is not counted.", _alike(
        sql_patch("year/plan_days", {
            "coalesce(plus_days(e.opted_out_on, -1), p.end_day)": "plus_days(coalesce(e.opted_out_on, p.end_day), -1)"}),
        _polars("contributions:_days", {
            'pl.min_horizontal(pl.col("last"), out_on - 1)': 'pl.min_horizontal(pl.col("last"), out_on) - 1'}),
        together(
            _oracle("money:contribution", {"part.days for": "(part.days - (part is parts[-1])) for"}),
            _oracle("money:employer_match", {"part.days for": "(part.days - (part is parts[-1])) for"}),
        ),
    ), ("I23",), "event_contribution"),
    Fault("B14", "Pay beyond the compensation limit is matched.", _alike(
        sql_patch("year/plan_days", {
            f"least(pay_{step}, compensation_limit)::HUGEINT": f"pay_{step}::HUGEINT" for step in (1, 2, 3)}),
        _polars("contributions:match_amount", {
            '"before_limited_pay_days"': '"before_pay_days"', '"after_limited_pay_days"': '"after_pay_days"'}),
        _oracle("money:employer_match", {"min(part.pay, limit)": "part.pay"}),
    ), ("I25", "I24"), "compensation_limit_in_force"),
    Fault("B15", "The match is paid although it is switched off.", _alike(
        sql_patch("year/plan_days", {"CASE WHEN match_enabled THEN": "CASE WHEN true THEN"}),
        _polars("contributions:_amounts", {'pl.when(rules["match.enabled"])': "pl.when(pl.lit(True))"}),
        _oracle("money:employer_match", {"if not rules.enabled:": "if False:"}),
    ), ("I25", "M09"), lambda world: not world.scenario.employer_match.enabled),
    Fault("B16", "The limit on annual additions lowers the match before the core.", _alike(
        sql_patch("year/money", {
            "greatest(0, full_match - greatest(0, over_limit - full_core)) AS match":
            "greatest(0, full_match - over_limit) AS match",
            "greatest(0, full_core - over_limit) AS core":
            "greatest(0, full_core - greatest(0, over_limit - full_match)) AS core"}),
        _polars("contributions:_annual_additions", {
            'pl.max_horizontal(zero, pl.col("full_core") - pl.col("over")).alias("core")':
            '(pl.col("full_core") - pl.max_horizontal(zero, pl.col("over") - pl.col("full_match"))).alias("core")',
            '(pl.col("full_match") - pl.max_horizontal(zero, pl.col("over") - pl.col("full_core"))).alias("match")':
            'pl.max_horizontal(zero, pl.col("full_match") - pl.col("over")).alias("match")'}),
        _oracle("money:within_annual_additions", {
            "from_core = min(core, over)": "from_core = over - min(match, over)"}),
    ), ("I25", "I26"), ("additions_limit_lowers_core", "additions_limit_lowers_match")),
    Fault("B17", "The catch-up contribution starts at 51.", _alike(
        sql_patch("year/money", {">= 50 AS has_catch_up": ">= 51 AS has_catch_up"}),
        python_patch(f"{_POLARS}.contributions", "CATCH_UP_AGE", lambda age: age + 1),
        python_patch(f"{_ORACLE}.money", "CATCH_UP_AGE", lambda age: age + 1),
    ), ("I23", "M21"), "event_contribution"),
    Fault("B18", "Prorated pay takes every year to have 365 days.", _alike(
        sql_patch("year/pay_days", {"pay_3 * days_3, days)": "pay_3 * days_3, 365)"}),
        _polars("contributions:_amounts", {
            'half_up(pl.col("employed_pay_days"), days)': 'half_up(pl.col("employed_pay_days"), 365)'}),
        _oracle("money:prorated_pay", {"member.year.days)": "365)"}),
    ), ("I21",), "leap_year"),
)  # fmt: skip

EVERYWHERE = (*WORKFORCE, *CAREERS, *PLAN, *MONEY)
