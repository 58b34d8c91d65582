-- 5.8: the eligibility date never lies before the hire date
SELECT
    person, 2 AS code, eligibility_date AS event_date,
    NULL::BIGINT AS amount, NULL::BIGINT AS previous_amount, NULL::BIGINT AS rate_bp, NULL::BIGINT AS previous_rate_bp,
    '{"minimum_age":' || minimum_age || ',"waiting_period_days":' || waiting_period_days || '}' AS payload
FROM person_year
WHERE eligibility_date BETWEEN start_day AND end_day
