-- Section 6, fct_yearly_events: the families' rows with ids, sequence and the person's columns, in canonical order.
-- event_id: hi = fold(event_hash, code), lo = fold(hi, 0), with the version and variant bits of a UUID of version 8.
WITH ranked AS (
    SELECT
        e.*, p.world, p.employee_id, p.employee_ssn, p.birth_date, p.hire_date,
        -- on the day of the promotion the families before it in the order of codes still see the level left
        CASE
            WHEN e.event_date > p.promotion_day OR e.event_date = p.promotion_day AND e.code >= 3 THEN p.level_2
            ELSE p.level_1
        END AS level_id,
        p.scenario_id, p.plan_design_id, p.year, p.event_hash,
        row_number() OVER (PARTITION BY e.person ORDER BY e.event_date, e.code)::INTEGER AS event_sequence
    FROM event_row e
    JOIN person_year p USING (person)
),
stamped AS (SELECT *, fold(event_hash, code) AS hi FROM ranked),
spelled AS (
    SELECT
        -- the digit 1 put before hi keeps its leading zeros; lo has none, its highest bit is set
        * REPLACE (
            to_hex(18446744073709551616::UHUGEINT + ((hi & 18446744073709490175::UHUGEINT) | 32768::UHUGEINT)) AS hi
        ),
        to_hex((fold(hi, 0) & 4611686018427387903::UHUGEINT) | 9223372036854775808::UHUGEINT) AS lo
    FROM stamped
)
SELECT
    world,
    lower(concat_ws(
        '-', substr(hi, 2, 8), substr(hi, 10, 4), substr(hi, 14, 4), substr(lo, 1, 4), substr(lo, 5, 12)
    )) AS event_id,
    scenario_id, plan_design_id, employee_id, employee_ssn,
    [
        'hire', 'eligibility', 'promotion', 'raise', 'enrollment', 'deferral_escalation', 'enrollment_change',
        'contribution', 'employer_match', 'employer_core', 'termination'
    ][code] AS event_type,
    year AS simulation_year,
    event_date, event_sequence,
    payload AS event_payload,
    money(amount) AS compensation_amount,
    money(previous_amount) AS previous_compensation,
    rate(rate_bp) AS employee_deferral_rate,
    rate(previous_rate_bp) AS prev_employee_deferral_rate,
    level_id::INTEGER AS level_id,
    completed_years(birth_date, event_date) AS employee_age,
    completed_years(hire_date, event_date) AS employee_tenure
FROM spelled
ORDER BY person, event_sequence
