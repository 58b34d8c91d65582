-- 5.7
SELECT
    person, 4 AS code, raise_day AS event_date,
    pay_3 AS amount, pay_2 AS previous_amount, NULL::BIGINT AS rate_bp, NULL::BIGINT AS previous_rate_bp,
    '{"cola_rate":' || rate(cola_bp) || ',"merit_rate":' || rate(merit_bp) || '}' AS payload
FROM person_year
WHERE is_raised
