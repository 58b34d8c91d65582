-- 5.9: opt-out; an escalation of the same year came before it
SELECT
    person, 7 AS code, opted_out_on AS event_date,
    NULL::BIGINT AS amount, NULL::BIGINT AS previous_amount, 0::BIGINT AS rate_bp, rate_2_bp AS previous_rate_bp,
    '{"reason":"opt_out"}' AS payload
FROM person_year
WHERE opted_out_on IS NOT NULL
