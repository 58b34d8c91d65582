-- 5.11
SELECT
    person, 10 AS code, end_day AS event_date,
    core AS amount, NULL::BIGINT AS previous_amount, NULL::BIGINT AS rate_bp, NULL::BIGINT AS previous_rate_bp,
    '{"compensation_limit":' || money(compensation_limit) || ',"contribution_rate":' || rate(core_bp) || '}' AS payload
FROM person_year
WHERE core > 0
