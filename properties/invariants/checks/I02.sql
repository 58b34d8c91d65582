-- I02 Growth
-- The headcount at the end of each year is the opening headcount times 1 + growth, rounded half up.
-- needs: scenario
-- clause target: |A(y)| = half_up(|A(y-1)| (10 000 + g) / 10 000)
SELECT p.world, 'target', NULL, p.year, NULL,
       count(s.employee_id) || ' active', p.target || ' from ' || p.headcount || ' at the start'
FROM plan p
LEFT JOIN state s ON s.world = p.world AND s.year = p.year AND s.is_active
GROUP BY p.world, p.year, p.target, p.headcount
HAVING count(s.employee_id) <> p.target
