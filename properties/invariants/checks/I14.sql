-- I14 Enrolment date
-- There is an enrolment date exactly for those who ever enrolled; it is the latest enrolment's, and not before hire and eligibility.
-- needs: state.enrollment_date, census
-- clause ever: date not null <=> an enrolment event so far, or a census rate above 0
-- clause latest: date = day of the latest enrolment event; with none, 31 December before the first year
-- clause not_before [scenario]: date >= hire and eligibility, except for participation from the census
WITH enrolled AS (
    SELECT s.world, s.employee_id, s.year, max(e.day) AS latest
    FROM state s
    LEFT JOIN event e ON e.world = s.world AND e.employee_id = s.employee_id AND e.year <= s.year AND e.event_type = 'enrollment'
    GROUP BY ALL
),
stated AS (
    SELECT n.*, coalesce(n.latest, CASE WHEN m.rate > 0 THEN make_date(m.start_year - 1, 12, 31) END) AS day
    FROM enrolled n
    LEFT JOIN member m USING (world, employee_id)
)
SELECT s.world, CASE WHEN (s.enrollment_date IS NULL) <> (t.day IS NULL) THEN 'ever' ELSE 'latest' END, s.employee_id, s.year, NULL,
       coalesce(s.enrollment_date::VARCHAR, 'null'), coalesce(t.day::VARCHAR, 'null')
FROM state s
JOIN stated t USING (world, employee_id, year)
WHERE s.enrollment_date IS DISTINCT FROM t.day
UNION ALL
SELECT p.world, 'not_before', p.employee_id, p.year, 'enrollment', p.enrolled_on::VARCHAR,
       'not before ' || greatest(p.hire_date, p.eligibility)
FROM eligible p
WHERE p.enrolled_on < greatest(p.hire_date, p.eligibility)
