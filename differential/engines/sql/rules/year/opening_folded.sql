-- 5.1, later years, without incremental_state: the census and every event so far, folded per person.
-- first_day of the first year is the same for all rows of a world: events before it do not exist.
WITH entered AS (
    SELECT
        c.world, c.employee_id, c.employee_ssn, c.birth_date, c.hire_date, coalesce(l.level, 1) AS level,
        c.pay_cents AS pay, c.deferral_bp AS rate_bp,
        CASE WHEN c.deferral_bp > 0 THEN plus_days(y.first_day, -1) END AS enrollment_date
    FROM census c
    JOIN calendar y ON y.world = c.world AND y.year_index = 0
    ASOF LEFT JOIN level l ON l.world = c.world AND c.pay_cents >= l.minimum
    WHERE c.termination_date IS NULL AND c.hire_date < y.first_day
    UNION ALL
    SELECT
        world, employee_id, employee_ssn, json_extract_string(event_payload, '$.birth_date')::DATE, event_date, level_id,
        cents(compensation_amount), 0, NULL
    FROM events_before
    WHERE event_type = 'hire'
),
history AS (
    SELECT
        world, employee_id,
        max(level_id) FILTER (event_type = 'promotion') AS level,
        arg_max(compensation_amount, (simulation_year, event_sequence))
            FILTER (event_type IN ('promotion', 'raise')) AS pay,
        arg_max(employee_deferral_rate, (simulation_year, event_sequence))
            FILTER (event_type IN ('enrollment', 'deferral_escalation', 'enrollment_change')) AS rate,
        max(event_date) FILTER (event_type = 'enrollment') AS enrollment_date,
        bool_or(event_type = 'enrollment_change') AS has_opted_out,
        bool_or(event_type = 'termination') AS has_left,
        sum(compensation_amount) FILTER (event_type IN ('contribution', 'employer_match', 'employer_core')) AS balance
    FROM events_before
    GROUP BY ALL
),
folded AS (
    SELECT
        e.world, e.employee_id, e.employee_ssn, e.birth_date, e.hire_date,
        coalesce(h.level, e.level) AS level,
        coalesce(cents(h.pay), e.pay) AS pay,
        coalesce(basis_points(h.rate), e.rate_bp) AS rate_bp,
        coalesce(h.enrollment_date, e.enrollment_date) AS enrollment_date,
        coalesce(h.has_opted_out, false) AS has_opted_out,
        coalesce(cents(h.balance), 0) AS balance
    FROM entered e
    LEFT JOIN history h USING (world, employee_id)
    WHERE h.has_left IS NOT TRUE
)
SELECT
    f.world, employee_id, employee_ssn, text_key(employee_id) AS employee_key, birth_date, hire_date,
    level, pay, rate_bp, rate_bp > 0 AS is_enrolled, enrollment_date, has_opted_out, balance
FROM folded f
JOIN calendar y ON y.world = f.world AND y.year_index = $year_index
