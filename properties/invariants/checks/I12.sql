-- I12 Enrolment and opt-out alternate
-- Only people who are not enrolled enrol, only enrolled ones opt out, and nobody is enrolled automatically after an opt-out.
-- clause enrols_when_out: before an enrolment the person is not enrolled (census people with a rate start enrolled)
-- clause opts_out_when_in: before an opt-out the person is enrolled
-- clause no_automatic_again [events.event_payload]: no automatic enrolment after an opt-out
-- clause opt_out_of_automatic [events.event_payload]: an opt-out follows an automatic enrolment of its own year
-- clause opt_out_window [scenario]: opt-out date = least of enrolment + 1 .. enrolment + grace period, 31 December, exit
-- clause not_enrolled_at_start [state.is_enrolled]: who enrols in a year was not enrolled at its start
WITH member_start AS (
    SELECT world, employee_id, year - 1 AS year, make_date(year - 1, 12, 31) AS day, 0 AS code, 'enrollment' AS event_type,
           NULL AS payload
    FROM opening
    WHERE from_census AND is_enrolled
),
step AS (
    SELECT world, employee_id, year, day, code, event_type, payload FROM event
    WHERE event_type IN ('enrollment', 'enrollment_change')
    UNION ALL
    SELECT world, employee_id, year, day, code, event_type, payload FROM member_start
),
chain AS (
    SELECT
        *,
        lag(event_type) OVER so_far AS before,
        coalesce(bool_or(event_type = 'enrollment_change') OVER (so_far ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false)
            AS opted_out_before
    FROM step
    WINDOW so_far AS (PARTITION BY world, employee_id ORDER BY year, day, code)
)
SELECT c.world, 'enrols_when_out', c.employee_id, c.year, c.event_type, 'enrolled already', 'not enrolled'
FROM chain c
JOIN simulated y USING (world, year)
WHERE c.event_type = 'enrollment' AND c.before = 'enrollment'
UNION ALL
SELECT c.world, 'opts_out_when_in', c.employee_id, c.year, c.event_type, 'not enrolled', 'enrolled'
FROM chain c
JOIN run r USING (world)
WHERE r.has_census AND c.event_type = 'enrollment_change' AND c.before IS DISTINCT FROM 'enrollment'
UNION ALL
SELECT world, 'no_automatic_again', employee_id, year, event_type, 'automatic enrolment', 'none: opted out before'
FROM chain
WHERE event_type = 'enrollment' AND opted_out_before AND payload_value(payload, 'source') = 'auto'
UNION ALL
SELECT world, 'opt_out_of_automatic', employee_id, year, 'enrollment_change', 'opt-out on ' || opted_out_on,
       'an automatic enrolment of ' || year || ' before'
FROM person_year
WHERE opted_out_on IS NOT NULL
  AND (enrolled_automatically IS DISTINCT FROM true OR enrolled_on > opted_out_on)
UNION ALL
SELECT world, 'opt_out_window', employee_id, year, 'enrollment_change', opted_out_on::VARCHAR,
       least(enrolled_on + 1, window_last) || ' to ' || least(enrolled_on + auto_enrollment_opt_out_grace_period, window_last)
FROM eligible
WHERE enrolled_automatically
  AND opted_out_on NOT BETWEEN least(enrolled_on + 1, window_last)
                       AND least(enrolled_on + auto_enrollment_opt_out_grace_period, window_last)
UNION ALL
SELECT world, 'not_enrolled_at_start', employee_id, year, 'enrollment', 'enrolled at the start of the year', 'not enrolled'
FROM person_year
WHERE enrolled_on IS NOT NULL AND opening_enrolled
