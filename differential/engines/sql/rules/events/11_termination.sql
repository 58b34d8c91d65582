-- 5.3, 5.5
SELECT
    person, 11 AS code, termination_date AS event_date,
    pay_3 AS amount, NULL::BIGINT AS previous_amount, NULL::BIGINT AS rate_bp, NULL::BIGINT AS previous_rate_bp,
    '{"reason":"' || CASE WHEN is_new_hire THEN 'new_hire' ELSE 'experienced' END || '"}' AS payload
FROM person_year
WHERE termination_date IS NOT NULL
