-- 5.11
SELECT
    person, 9 AS code, end_day AS event_date,
    match AS amount, NULL::BIGINT AS previous_amount, NULL::BIGINT AS rate_bp, NULL::BIGINT AS previous_rate_bp,
    '{"compensation_limit":' || money(compensation_limit) || '}' AS payload
FROM person_year
WHERE match > 0
