-- 5.9
SELECT
    person, 5 AS code, enrolled_on AS event_date,
    NULL::BIGINT AS amount, NULL::BIGINT AS previous_amount, enrolled_rate_bp AS rate_bp, 0::BIGINT AS previous_rate_bp,
    '{"source":"' || enrollment_source || '"}' AS payload
FROM person_year
WHERE enrolled_on IS NOT NULL
