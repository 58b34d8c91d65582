-- I35 No gaps
-- Columns that are filled for everybody stay filled in every year: all but the three dates that may be missing. A column that is not there at all is I36's matter.
-- clause state: no null in a state column but termination_date, eligibility_date and enrollment_date
-- clause events: no null in an event column but amounts and rates, which the type decides (I28)
WITH incomplete_state AS (
    SELECT s.* FROM state_in s
    WHERE
        s.scenario_id IS NULL OR s.plan_design_id IS NULL OR s.employee_id IS NULL OR s.employee_ssn IS NULL
        OR s.birth_date IS NULL OR s.simulation_year IS NULL OR s.is_active IS NULL OR s.hire_date IS NULL
        OR s.employment_status IS NULL OR s.detailed_status_code IS NULL OR s.current_level IS NULL OR s.current_salary IS NULL
        OR s.prorated_annual_compensation IS NULL OR s.current_age IS NULL OR s.current_tenure IS NULL OR s.is_eligible IS NULL
        OR s.is_enrolled IS NULL OR s.deferral_rate IS NULL OR s.has_opted_out IS NULL OR s.annual_contribution IS NULL
        OR s.employer_match_amount IS NULL OR s.employer_core_amount IS NULL OR s.account_balance IS NULL
),
incomplete_event AS (
    SELECT e.* FROM events_in e
    WHERE
        e.event_id IS NULL OR e.scenario_id IS NULL OR e.plan_design_id IS NULL OR e.employee_id IS NULL
        OR e.employee_ssn IS NULL OR e.event_type IS NULL OR e.simulation_year IS NULL OR e.event_date IS NULL
        OR e.event_sequence IS NULL OR e.event_payload IS NULL OR e.level_id IS NULL OR e.employee_age IS NULL
        OR e.employee_tenure IS NULL
)
SELECT s.world, 'state', s.employee_id, s.simulation_year, NULL, v.name || ' is null', 'a value'
FROM incomplete_state s,
LATERAL (VALUES
    ('scenario_id', s.scenario_id::VARCHAR), ('plan_design_id', s.plan_design_id::VARCHAR), ('employee_id', s.employee_id::VARCHAR),
    ('employee_ssn', s.employee_ssn::VARCHAR), ('birth_date', s.birth_date::VARCHAR), ('simulation_year', s.simulation_year::VARCHAR),
    ('is_active', s.is_active::VARCHAR), ('hire_date', s.hire_date::VARCHAR), ('employment_status', s.employment_status::VARCHAR),
    ('detailed_status_code', s.detailed_status_code::VARCHAR), ('current_level', s.current_level::VARCHAR),
    ('current_salary', s.current_salary::VARCHAR), ('prorated_annual_compensation', s.prorated_annual_compensation::VARCHAR),
    ('current_age', s.current_age::VARCHAR), ('current_tenure', s.current_tenure::VARCHAR), ('is_eligible', s.is_eligible::VARCHAR),
    ('is_enrolled', s.is_enrolled::VARCHAR), ('deferral_rate', s.deferral_rate::VARCHAR), ('has_opted_out', s.has_opted_out::VARCHAR),
    ('annual_contribution', s.annual_contribution::VARCHAR), ('employer_match_amount', s.employer_match_amount::VARCHAR),
    ('employer_core_amount', s.employer_core_amount::VARCHAR), ('account_balance', s.account_balance::VARCHAR)
) v(name, value)
WHERE v.value IS NULL AND 'state.' || v.name IN (SELECT name FROM available)
UNION ALL
SELECT e.world, 'events', e.employee_id, e.simulation_year, e.event_type, v.name || ' is null', 'a value'
FROM incomplete_event e,
LATERAL (VALUES
    ('event_id', e.event_id::VARCHAR), ('scenario_id', e.scenario_id::VARCHAR), ('plan_design_id', e.plan_design_id::VARCHAR),
    ('employee_id', e.employee_id::VARCHAR), ('employee_ssn', e.employee_ssn::VARCHAR), ('event_type', e.event_type::VARCHAR),
    ('simulation_year', e.simulation_year::VARCHAR), ('event_date', e.event_date::VARCHAR), ('event_sequence', e.event_sequence::VARCHAR),
    ('event_payload', e.event_payload::VARCHAR), ('level_id', e.level_id::VARCHAR), ('employee_age', e.employee_age::VARCHAR),
    ('employee_tenure', e.employee_tenure::VARCHAR)
) v(name, value)
WHERE v.value IS NULL AND 'events.' || v.name IN (SELECT name FROM available)
