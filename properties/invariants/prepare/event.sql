-- fct_yearly_events with money in cents and rates in basis points; `code` is the order of types on one day.
CREATE OR REPLACE TEMP TABLE event AS
SELECT
    world,
    event_id,
    scenario_id,
    plan_design_id,
    employee_id,
    employee_ssn AS ssn,
    event_type,
    list_position(['hire', 'eligibility', 'promotion', 'raise', 'enrollment', 'deferral_escalation',
                   'enrollment_change', 'contribution', 'employer_match', 'employer_core', 'termination'],
                  event_type) AS code,
    simulation_year AS year,
    event_date AS day,
    event_sequence AS sequence,
    event_payload AS payload,
    (compensation_amount * 100)::BIGINT AS amount,
    (previous_compensation * 100)::BIGINT AS previous,
    (employee_deferral_rate * 10000)::BIGINT AS rate,
    (prev_employee_deferral_rate * 10000)::BIGINT AS previous_rate,
    level_id AS level,
    employee_age AS age,
    employee_tenure AS tenure
FROM events_in;
