-- I09 Rows of state
-- A year's state has exactly one row for each person who is in the opening set or hired in the year.
-- clause one_row: rows of a person and year = 1
-- clause missing: everybody in the opening set or hired has a row
-- clause extra: nobody else has one
WITH expected AS (
    SELECT world, year, employee_id FROM opening
    UNION
    SELECT world, year, employee_id FROM event WHERE event_type = 'hire'
),
actual AS (
    SELECT world, year, employee_id, count(*) AS n FROM state GROUP BY ALL
)
SELECT world, 'one_row', employee_id, year, NULL, n || ' rows', '1'
FROM (SELECT world, year, employee_id, count(*) AS n FROM state GROUP BY world, scenario_id, plan_design_id, year, employee_id)
WHERE n > 1
UNION ALL
SELECT world, 'missing', employee_id, year, NULL, 'no row', '1 row'
FROM expected e
ANTI JOIN actual a USING (world, year, employee_id)
UNION ALL
SELECT a.world, 'extra', a.employee_id, a.year, NULL, 'a row', 'none: not here at the start of the year, not hired in it'
FROM actual a
JOIN simulated y USING (world, year)
ANTI JOIN expected e ON e.world = a.world AND e.year = a.year AND e.employee_id = a.employee_id
WHERE y.opening_known
