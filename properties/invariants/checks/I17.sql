-- I17 Who escalates
-- Exactly those escalate who are employed and enrolled before the effective day, after the delay, below the maximum, hired on or after
-- the cutoff, and have not opted out by then.
-- needs: scenario, state.is_enrolled, state.deferral_rate, state.enrollment_date, state.has_opted_out, census
-- clause only_due: an escalation => due (5.10)
-- clause all_due: due (5.10) => an escalation
WITH day_of AS (
    SELECT
        *,
        make_date(year, left(deferral_auto_escalation_effective_day, 2)::INTEGER,
                  right(deferral_auto_escalation_effective_day, 2)::INTEGER) AS effective,
        coalesce(enrolled_on, opening_enrollment_date) AS since,
        coalesce(enrolled_rate, opening_rate) AS rate_then
    FROM eligible
),
judged AS (
    SELECT
        *,
        effective BETWEEN hire_date AND coalesce(exit_on, effective)
            AND (opening_enrolled OR enrolled_on IS NOT NULL) AND since < effective
            AS is_in_plan,
        opening_opted_out OR coalesce(opted_out_on <= effective, false) AS is_out,
        anniversary(since, (year(since) + deferral_auto_escalation_first_escalation_delay_years)::INTEGER) <= effective AS waited,
        rate_then < deferral_auto_escalation_maximum_rate AS has_room,
        coalesce(hire_date >= deferral_auto_escalation_hire_date_cutoff, true) AS after_cutoff
    FROM day_of
    WHERE opening_enrolled IS NOT NULL
),
due AS (
    SELECT
        *,
        deferral_auto_escalation_enabled AND coalesce(is_in_plan, false) AND NOT is_out AND coalesce(waited, false)
            AND coalesce(has_room, false) AND after_cutoff AS is_due
    FROM judged
)
SELECT world, 'only_due', employee_id, year, 'deferral_escalation', 'escalation on ' || escalated_on,
       'none: ' || concat_ws(', ',
           CASE WHEN NOT deferral_auto_escalation_enabled THEN 'switched off' END,
           CASE WHEN NOT coalesce(is_in_plan, false) THEN 'not employed and enrolled before ' || effective END,
           CASE WHEN is_out THEN 'opted out' END,
           CASE WHEN NOT coalesce(waited, false) THEN 'enrolled since ' || coalesce(since::VARCHAR, 'never') || ', delay not passed' END,
           CASE WHEN NOT coalesce(has_room, false) THEN 'rate at the maximum' END,
           CASE WHEN NOT after_cutoff THEN 'hired before the cutoff ' || deferral_auto_escalation_hire_date_cutoff END)
FROM due
WHERE escalated_on IS NOT NULL AND NOT is_due
UNION ALL
SELECT world, 'all_due', employee_id, year, 'deferral_escalation', 'no escalation',
       'on ' || effective || ': enrolled since ' || since || ' at ' || rate(rate_then) || ', hired ' || hire_date
FROM due
WHERE escalated_on IS NULL AND is_due
