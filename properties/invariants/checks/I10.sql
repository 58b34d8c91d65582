-- I10 People
-- Every event belongs to somebody of the census or hired before; ids, social security numbers and birth dates stay with their people.
-- clause known [census]: the person of an event is in the census, or has a hire event in that year or before
-- clause hire_once: hire events of a person <= 1, and none for people of the census
-- clause one_ssn: an id has one ssn
-- clause one_id: an ssn has one id
-- clause same_person [census]: birth, hire date and ssn of state rows are those of the census
-- clause new_id [scenario]: new ids are NH_<year>_<number>, numbered 1, 2, .. within a year over the levels in ascending order
-- clause new_ssn [scenario]: ssn of a hire = SSN- and 900000000 + (y - start year) 1000000 + number
-- clause reason [events.event_payload]: the exit of somebody hired in the year says new_hire, another says experienced
WITH hired AS (
    SELECT world, employee_id, min(year) AS year, count(*) AS n FROM event WHERE event_type = 'hire' GROUP BY ALL
),
named AS (
    SELECT world, employee_id, ssn FROM event
    UNION
    SELECT world, employee_id, ssn FROM state
    UNION
    SELECT world, employee_id, ssn FROM member
),
numbered AS (
    SELECT
        e.world, e.employee_id, e.year, e.level, e.ssn, r.start_year,
        row_number() OVER (PARTITION BY e.world, e.year ORDER BY e.level, e.employee_id) AS number
    FROM event e
    JOIN run r USING (world)
    WHERE e.event_type = 'hire'
)
SELECT e.world, 'known', e.employee_id, min(e.year), min(e.event_type), 'an event', 'nobody of this id before'
FROM event e
JOIN run r USING (world)
LEFT JOIN member m USING (world, employee_id)
LEFT JOIN hired h USING (world, employee_id)
WHERE r.has_census AND m.employee_id IS NULL AND (h.year IS NULL OR h.year > e.year)
GROUP BY e.world, e.employee_id
UNION ALL
SELECT h.world, 'hire_once', h.employee_id, h.year, 'hire', h.n || ' hire events',
       CASE WHEN m.employee_id IS NULL THEN '1' ELSE 'none: in the census' END
FROM hired h
LEFT JOIN member m USING (world, employee_id)
WHERE h.n > 1 OR m.employee_id IS NOT NULL
UNION ALL
SELECT world, 'one_ssn', employee_id, NULL, NULL, count(DISTINCT ssn) || ' ssn', '1'
FROM named GROUP BY world, employee_id HAVING count(DISTINCT ssn) <> 1 OR bool_or(ssn IS NULL)
UNION ALL
SELECT world, 'one_id', min(employee_id), NULL, NULL, count(DISTINCT employee_id) || ' ids with one ssn', '1'
FROM named GROUP BY world, ssn HAVING count(DISTINCT employee_id) <> 1
UNION ALL
SELECT s.world, 'same_person', s.employee_id, s.year, NULL, 'born ' || s.birth || ', hired ' || s.hire_date,
       'born ' || m.birth || ', hired ' || m.hire_date
FROM state s JOIN member m USING (world, employee_id)
WHERE s.birth <> m.birth OR s.hire_date <> m.hire_date OR s.ssn <> m.ssn
UNION ALL
SELECT n.world, 'new_id', n.employee_id, n.year, 'hire', n.employee_id, printf('NH_%d_%06d', n.year, n.number)
FROM numbered n JOIN run r USING (world)
WHERE r.has_scenario AND n.employee_id <> printf('NH_%d_%06d', n.year, n.number)
UNION ALL
SELECT n.world, 'new_ssn', n.employee_id, n.year, 'hire', 'another ssn', 'SSN- and the number of year and hire'
FROM numbered n JOIN run r USING (world)
WHERE r.has_scenario AND n.ssn <> 'SSN-' || (900000000 + (n.year - n.start_year) * 1000000 + n.number)
UNION ALL
SELECT e.world, 'reason', e.employee_id, e.year, 'termination', payload_value(e.payload, 'reason'),
       CASE WHEN h.year = e.year THEN 'new_hire' ELSE 'experienced' END
FROM event e
LEFT JOIN hired h USING (world, employee_id)
WHERE e.event_type = 'termination'
  AND payload_value(e.payload, 'reason') IS DISTINCT FROM CASE WHEN h.year = e.year THEN 'new_hire' ELSE 'experienced' END
