-- Inputs of a run, one set of rows per world. Money in cents, rates and multipliers in basis points.

CREATE TABLE world (            -- one row per world: docs/simulation.md, section 3
    world INTEGER, start_year INTEGER, years INTEGER, random_seed UBIGINT, scenario_id VARCHAR, plan_design_id VARCHAR,
    growth_bp BIGINT, termination_bp BIGINT, new_hire_termination_bp BIGINT, cola_bp BIGINT,
    base_hazard_ppm BIGINT, tenure_multipliers BIGINT[], age_multipliers BIGINT[], level_dampener_bp BIGINT,
    max_cap_bp BIGINT, max_cap_amount BIGINT,
    minimum_age INTEGER, waiting_period_days INTEGER,
    auto_enabled BOOLEAN, auto_everyone BOOLEAN, auto_cutoff DATE, auto_window_days INTEGER, auto_rate_bp BIGINT,
    opt_out_by_age BIGINT[], opt_out_by_income BIGINT[], opt_out_grace_days INTEGER,
    voluntary_enabled BOOLEAN, voluntary_by_age BIGINT[], voluntary_by_income BIGINT[],
    voluntary_minimum BIGINT[], voluntary_maximum BIGINT[],
    escalation_enabled BOOLEAN, escalation_month INTEGER, escalation_day_of_month INTEGER, escalation_increment_bp BIGINT,
    escalation_maximum_bp BIGINT, escalation_cutoff DATE, escalation_delay_years INTEGER,
    match_enabled BOOLEAN, match_tiers STRUCT(minimum_bp BIGINT, maximum_bp BIGINT, match_bp BIGINT)[], match_cap_bp BIGINT,
    core_enabled BOOLEAN, core_bp BIGINT, total_age_weight BIGINT,
    seed_hash UHUGEINT,         -- fold over the seed, the start of every draw
    pair_hash UHUGEINT          -- fold over scenario_id and plan_design_id, the start of every event_id
);
CREATE TABLE level (            -- promotion_bp, merit_above_bp: of the step to the next level; null at the top
    world INTEGER, level INTEGER, minimum BIGINT, maximum BIGINT, merit_bp BIGINT, promotion_bp BIGINT, merit_above_bp BIGINT
);
CREATE TABLE age_weight (world INTEGER, age INTEGER, weight_below BIGINT);  -- weight_below: sum of the entries before
CREATE TABLE calendar (         -- one row per world and simulated year
    world INTEGER, year_index INTEGER, year INTEGER, first_day DATE, last_day DATE, days BIGINT,
    january_end DATE, promotion_day DATE, before_raise DATE, raise_day DATE, escalation_day DATE,
    elective_deferral BIGINT, catch_up BIGINT, compensation_limit BIGINT, annual_additions BIGINT
);
CREATE TABLE census (
    world INTEGER, employee_id VARCHAR, employee_ssn VARCHAR, employee_key UBIGINT, birth_date DATE, hire_date DATE,
    termination_date DATE, pay_cents BIGINT, deferral_bp BIGINT
);
CREATE TABLE hazard (           -- filled only by runs with hazard_cache
    world INTEGER, level INTEGER, tenure_band INTEGER, age_band INTEGER, hazard_ppm BIGINT
);
CREATE TABLE quota (            -- docs/simulation.md, 5.2; code: why the year cannot be simulated
    world INTEGER, year_index INTEGER, headcount BIGINT, hires BIGINT, exits BIGINT, new_hire_exits BIGINT, code VARCHAR
);
