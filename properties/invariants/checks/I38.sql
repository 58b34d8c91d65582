-- I38 Eligibility
-- Eligibility comes on the later of the age and the waiting period, stays, and comes before enrolment.
-- needs: scenario
-- clause date [state.eligibility_date]: eligibility date = max(anniversary(birth, + age), hire + days) if reached, else null
-- clause flag [state.is_eligible]: is_eligible <=> eligibility <= min(exit, 31 December)
-- clause event: an eligibility event <=> eligibility in the year and employed on it
-- clause stays [state.is_eligible]: eligible(y-1) => eligible(y)
-- clause before_enrolment: enrolment date >= eligibility date
SELECT world, 'date', employee_id, year, NULL, coalesce(eligibility_date::VARCHAR, 'null'),
       CASE WHEN eligibility <= window_last THEN eligibility::VARCHAR ELSE 'null' END
FROM eligible
WHERE eligibility_date IS DISTINCT FROM CASE WHEN eligibility <= window_last THEN eligibility END
UNION ALL
SELECT world, 'flag', employee_id, year, NULL, coalesce(is_eligible::VARCHAR, 'null'), 'eligible on ' || eligibility || ', here until ' || window_last
FROM eligible
WHERE is_eligible IS DISTINCT FROM (eligibility <= window_last)
UNION ALL
SELECT world, 'event', employee_id, year, 'eligibility', coalesce('event on ' || eligible_on, 'no event'),
       CASE WHEN eligibility BETWEEN window_first AND window_last THEN 'event on ' || eligibility ELSE 'none: eligible on ' || eligibility END
FROM eligible
WHERE eligible_on IS DISTINCT FROM CASE WHEN eligibility BETWEEN window_first AND window_last THEN eligibility END
UNION ALL
SELECT world, 'stays', employee_id, year, NULL, 'not eligible', 'eligible, as in the year before'
FROM person_year
WHERE opening_eligible AND NOT is_eligible
UNION ALL
SELECT world, 'before_enrolment', employee_id, year, 'enrollment', 'enrolled on ' || enrolled_on, 'not before ' || eligibility
FROM eligible
WHERE enrolled_on < eligibility
