-- 5.10
SELECT
    person, 6 AS code, escalated_on AS event_date,
    NULL::BIGINT AS amount, NULL::BIGINT AS previous_amount, rate_2_bp AS rate_bp, rate_1_bp AS previous_rate_bp,
    '{"increment_amount":' || rate(escalation_increment_bp) || ',"maximum_rate":' || rate(escalation_maximum_bp) || '}'
        AS payload
FROM person_year
WHERE escalated_on IS NOT NULL
