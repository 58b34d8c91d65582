-- 5.11
SELECT
    person, 8 AS code, end_day AS event_date,
    contribution AS amount, NULL::BIGINT AS previous_amount, NULL::BIGINT AS rate_bp, NULL::BIGINT AS previous_rate_bp,
    '{"catch_up":' || has_catch_up || ',"limit":' || money(deferral_limit) || '}' AS payload
FROM person_year
WHERE contribution > 0
