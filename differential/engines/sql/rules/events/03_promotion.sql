-- 5.6
SELECT
    person, 3 AS code, promotion_day AS event_date,
    pay_2 AS amount, pay_1 AS previous_amount, NULL::BIGINT AS rate_bp, NULL::BIGINT AS previous_rate_bp,
    '{"from_level":' || level_1 || ',"hazard_ppm":' || hazard_ppm || ',"to_level":' || level_2 || '}' AS payload
FROM person_year
WHERE is_promoted
