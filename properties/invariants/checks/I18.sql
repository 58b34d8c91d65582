-- I18 Where a rate comes from
-- An automatic enrolment has the default rate, a voluntary one a rate inside its age segment, and a census participant the census rate.
-- clause automatic [scenario, events.event_payload]: rate of an automatic enrolment = default_deferral_rate
-- clause voluntary [scenario, events.event_payload]: minimum <= rate of a voluntary enrolment <= maximum, of the age segment on max(1 January, eligibility)
-- clause census [state.deferral_rate, census]: without a rate event so far, rate of an active person = census rate
-- clause from_zero: an enrolment starts from rate 0, an opt-out ends at rate 0
WITH segmented AS (
    SELECT *, age_segment(completed_years(birth, greatest(year_first, eligibility))) AS segment
    FROM eligible
    WHERE enrolled_on IS NOT NULL
)
SELECT world, 'automatic', employee_id, year, 'enrollment', coalesce(rate(enrolled_rate), 'null'),
       rate(auto_enrollment_default_deferral_rate)
FROM segmented
WHERE enrolled_automatically AND enrolled_rate IS DISTINCT FROM auto_enrollment_default_deferral_rate
UNION ALL
SELECT world, 'voluntary', employee_id, year, 'enrollment', coalesce(rate(enrolled_rate), 'null'),
       rate(voluntary_enrollment_minimum_rate_by_age[segment]) || ' to ' || rate(voluntary_enrollment_maximum_rate_by_age[segment])
FROM segmented
WHERE NOT enrolled_automatically
  AND (enrolled_rate BETWEEN voluntary_enrollment_minimum_rate_by_age[segment] AND voluntary_enrollment_maximum_rate_by_age[segment])
      IS DISTINCT FROM true
UNION ALL
SELECT s.world, 'census', s.employee_id, s.year, NULL, coalesce(rate(s.rate), 'null'), rate(m.rate)
FROM state s
JOIN member m USING (world, employee_id)
WHERE s.is_active AND s.rate IS DISTINCT FROM m.rate
  AND NOT EXISTS (
      SELECT 1 FROM event e
      WHERE e.world = s.world AND e.employee_id = s.employee_id AND e.year <= s.year
        AND e.event_type IN ('enrollment', 'deferral_escalation', 'enrollment_change'))
UNION ALL
SELECT world, 'from_zero', employee_id, year, event_type,
       'from ' || coalesce(rate(previous_rate), 'null') || ' to ' || coalesce(rate(rate), 'null'),
       CASE WHEN event_type = 'enrollment' THEN 'from 0.0000' ELSE 'to 0.0000' END
FROM event
WHERE (event_type = 'enrollment' AND previous_rate IS DISTINCT FROM 0)
   OR (event_type = 'enrollment_change' AND rate IS DISTINCT FROM 0)
