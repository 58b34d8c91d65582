-- 5.4
SELECT
    person, 1 AS code, hire_date AS event_date,
    pay_1 AS amount, NULL::BIGINT AS previous_amount, NULL::BIGINT AS rate_bp, NULL::BIGINT AS previous_rate_bp,
    '{"annual_compensation":' || money(pay_1) || ',"birth_date":"' || birth_date || '","hire_number":' || hire_number || '}'
        AS payload
FROM person_year
WHERE is_new_hire
