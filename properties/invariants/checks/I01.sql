-- I01 Headcount flow
-- The active people at the end of a year are those of the year before and its hires, without its terminations.
-- clause missing: A(y) = (A(y-1) + H(y)) - T(y), as sets; nobody is missing from A(y)
-- clause extra: A(y) = (A(y-1) + H(y)) - T(y), as sets; nobody else is in A(y)
WITH expected AS (
    (SELECT o.world, o.year, o.employee_id FROM opening o
     UNION
     SELECT world, year, employee_id FROM event WHERE event_type = 'hire')
    EXCEPT
    SELECT world, year, employee_id FROM event WHERE event_type = 'termination'
),
actual AS (
    SELECT DISTINCT world, year, employee_id FROM state WHERE is_active
)
SELECT world, CASE WHEN a.employee_id IS NULL THEN 'missing' ELSE 'extra' END, employee_id, year, NULL,
       CASE WHEN a.employee_id IS NULL THEN 'not active at the end of the year' ELSE 'active at the end of the year' END,
       CASE WHEN a.employee_id IS NULL THEN 'here at its start or hired in it, with no termination'
            ELSE 'not here at its start and not hired in it, or terminated' END
FROM expected e
FULL JOIN actual a USING (world, year, employee_id)
JOIN simulated y USING (world, year)
WHERE (a.employee_id IS NULL OR e.employee_id IS NULL) AND y.opening_known
