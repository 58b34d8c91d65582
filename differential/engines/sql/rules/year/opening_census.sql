-- 5.1, first year: census rows active and hired by 31 December of start_year - 1.
-- The initial level is the highest whose minimum is <= pay, else 1.
SELECT
    c.world, c.employee_id, c.employee_ssn, c.employee_key, c.birth_date, c.hire_date,
    coalesce(l.level, 1) AS level, c.pay_cents AS pay, c.deferral_bp AS rate_bp,
    c.deferral_bp > 0 AS is_enrolled,
    CASE WHEN c.deferral_bp > 0 THEN plus_days(y.first_day, -1) END AS enrollment_date,
    false AS has_opted_out,
    0::BIGINT AS balance
FROM census c
JOIN calendar y ON y.world = c.world AND y.year_index = $year_index
ASOF LEFT JOIN level l ON l.world = c.world AND c.pay_cents >= l.minimum
WHERE c.termination_date IS NULL AND c.hire_date < y.first_day
