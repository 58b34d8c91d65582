-- Section 6, fct_yearly_events: the families' rows with ids, sequence and the person's columns, in canonical order.
-- event_id: hi = fold(event_hash, code), lo = fold(hi, 0), with the version and variant bits of a UUID of version 8.
WITH ranked AS (
    SELECT
        e.*, p.* EXCLUDE (person),
        row_number() OVER (PARTITION BY e.person ORDER BY e.event_date, e.code)::INTEGER AS event_sequence
    FROM event_row e
    JOIN (
        SELECT
            person, world, scenario_id, plan_design_id, employee_id, employee_ssn, year, birth_date, hire_date,
            level_1, level_2, event_hash
        FROM person_year
    ) p ON p.person = e.person
),
hi_a AS (SELECT *, mix_a(event_hash, code) AS hi FROM ranked),
hi_b AS (SELECT * REPLACE (mix_b(hi) AS hi) FROM hi_a),
hi_c AS (SELECT * REPLACE (mix_c(hi) AS hi) FROM hi_b),
lo_a AS (SELECT *, mix_a(hi, 0) AS lo FROM hi_c),
lo_b AS (SELECT * REPLACE (mix_b(lo) AS lo) FROM lo_a),
stamped AS (
    SELECT * REPLACE (
        (hi & 18446744073709490175::UHUGEINT) | 32768::UHUGEINT AS hi,
        (mix_c(lo) & 4611686018427387903::UHUGEINT) | 9223372036854775808::UHUGEINT AS lo
    )
    FROM lo_b
),
spelled AS (SELECT * REPLACE (hex_64(hi) AS hi, hex_64(lo) AS lo) FROM stamped)
SELECT
    world,
    substr(hi, 1, 8) || '-' || substr(hi, 9, 4) || '-' || substr(hi, 13, 4) || '-' || substr(lo, 1, 4) || '-'
        || substr(lo, 5, 12) AS event_id,
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
    CASE WHEN event_date >= make_date(year, 2, 1) THEN level_2 ELSE level_1 END::INTEGER AS level_id,
    completed_years(birth_date, event_date) AS employee_age,
    completed_years(hire_date, event_date) AS employee_tenure
FROM spelled
ORDER BY person, event_sequence
