-- Everybody who is in the opening set of a simulated year: the census in the first, last year's active people later.
CREATE OR REPLACE TEMP TABLE opening AS
SELECT
    m.world, m.employee_id, m.start_year AS year, m.level, m.pay, m.rate > 0 AS is_enrolled, m.rate,
    CASE WHEN m.rate > 0 THEN make_date(m.start_year - 1, 12, 31) END AS enrollment_date,
    false AS has_opted_out, 0::BIGINT AS balance, NULL::BOOLEAN AS is_eligible,
    m.ssn, m.birth, m.hire_date, NULL::INTEGER AS tenure, true AS from_census
FROM member m
JOIN run r USING (world)
WHERE NOT r.infeasible
UNION ALL
SELECT
    s.world, s.employee_id, s.year + 1, s.level, s.pay, s.is_enrolled, s.rate,
    s.enrollment_date, s.has_opted_out, s.balance, s.is_eligible,
    s.ssn, s.birth, s.hire_date, s.tenure, false
FROM state s
JOIN run r USING (world)
WHERE s.is_active AND s.year < r.end_year;
