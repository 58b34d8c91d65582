-- I07 Dates
-- Every event lies in its year, not before the hire, and on the day that the rules state for its type.
-- clause in_year: 1 January <= event date <= 31 December of its year
-- clause before_hire: hire date <= event date
-- clause exit_after_hire: a hire of the year leaves at least one day after the hire; census people not before theirs
-- clause hire_day: a hire date is the day of the hire event, and never 31 December
-- clause stated_day [scenario]: promotion 1 February, raise 15 July, escalation on the effective day, money at year end or exit
SELECT world, 'in_year', employee_id, year, event_type, day::VARCHAR, 'in ' || year
FROM event
WHERE year(day) IS DISTINCT FROM year
UNION ALL
SELECT e.world, 'before_hire', e.employee_id, e.year, e.event_type, e.day::VARCHAR, 'not before the hire on ' || s.hire_date
FROM event e
JOIN state s USING (world, employee_id, year)
WHERE e.day < s.hire_date
UNION ALL
SELECT world, 'exit_after_hire', employee_id, year, 'termination', exit_on::VARCHAR, 'after the hire on ' || hire_date
FROM person_year
WHERE exit_on < hire_date OR (is_new AND exit_on <= hired_on)
UNION ALL
SELECT world, 'hire_day', employee_id, year, 'hire', hired_on || ', hire_date ' || hire_date,
       'the same day, before 31 December'
FROM person_year
WHERE hired_on <> hire_date OR hired_on = year_last
UNION ALL
SELECT e.world, 'stated_day', e.employee_id, e.year, e.event_type, e.day::VARCHAR, x.stated::VARCHAR
FROM event e
JOIN eligible p USING (world, employee_id, year),
LATERAL (
    SELECT CASE
        WHEN e.event_type = 'promotion' THEN make_date(e.year, 2, 1)
        WHEN e.event_type = 'raise' THEN make_date(e.year, 7, 15)
        WHEN e.event_type = 'deferral_escalation'
            THEN make_date(e.year, left(p.deferral_auto_escalation_effective_day, 2)::INTEGER,
                           right(p.deferral_auto_escalation_effective_day, 2)::INTEGER)
        WHEN e.event_type IN ('contribution', 'employer_match', 'employer_core') THEN p.window_last
        WHEN e.event_type = 'eligibility' THEN p.eligibility
    END AS stated
) x
WHERE e.day <> x.stated
