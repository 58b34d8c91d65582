-- I27 Age and service
-- Age and service are completed years, the same in every table; those who stay all year have one more year than at its start.
-- clause age [state.current_age]: current_age = completed years since birth at min(exit, 31 December)
-- clause tenure [state.current_tenure]: current_tenure = completed years since hire at min(exit, 31 December), >= 0
-- clause one_more [state.current_tenure]: active at both year ends => one more
-- clause event_age [events.employee_age]: age of an event = completed years since birth on its day
-- clause event_tenure [events.employee_tenure]: tenure of an event = completed years since hire on its day
SELECT world, 'age', employee_id, year, NULL, coalesce(age::VARCHAR, 'null'), completed_years(birth, window_last) || ' on ' || window_last
FROM person_year
WHERE age IS DISTINCT FROM completed_years(birth, window_last)
UNION ALL
SELECT world, 'tenure', employee_id, year, NULL, coalesce(tenure::VARCHAR, 'null'), completed_years(hire_date, window_last) || ' on ' || window_last
FROM person_year
WHERE tenure IS DISTINCT FROM completed_years(hire_date, window_last) OR tenure < 0
UNION ALL
SELECT world, 'one_more', employee_id, year, NULL, tenure::VARCHAR, opening_tenure || ' + 1'
FROM person_year
WHERE is_active AND tenure <> opening_tenure + 1
UNION ALL
SELECT e.world, 'event_age', e.employee_id, e.year, e.event_type, coalesce(e.age::VARCHAR, 'null'), completed_years(p.birth, e.day) || ' on ' || e.day
FROM event e
JOIN person_year p USING (world, employee_id, year)
WHERE e.age IS DISTINCT FROM completed_years(p.birth, e.day)
UNION ALL
SELECT e.world, 'event_tenure', e.employee_id, e.year, e.event_type, coalesce(e.tenure::VARCHAR, 'null'),
       completed_years(p.hire_date, e.day) || ' on ' || e.day
FROM event e
JOIN person_year p USING (world, employee_id, year)
WHERE e.tenure IS DISTINCT FROM completed_years(p.hire_date, e.day)
