-- 5.1, later years, incremental_state: last year's state rows with is_active.
SELECT
    s.world, employee_id, employee_ssn, text_key(employee_id) AS employee_key, birth_date, hire_date,
    current_level AS level, cents(current_salary) AS pay, basis_points(deferral_rate) AS rate_bp,
    is_enrolled, enrollment_date, has_opted_out, cents(account_balance) AS balance
FROM state_before s
JOIN calendar y ON y.world = s.world AND y.year_index = $year_index
WHERE s.is_active AND s.simulation_year = y.year - 1
