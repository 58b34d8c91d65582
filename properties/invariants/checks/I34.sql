-- I34 All years
-- Every simulated year is in the state table as long as there is anybody to simulate.
-- clause present: people in the opening set of y => state rows of y
SELECT o.world, 'present', NULL, o.year, NULL, 'no state rows', count(DISTINCT o.employee_id) || ' people in the opening set'
FROM opening o
ANTI JOIN state s ON s.world = o.world AND s.year = o.year
GROUP BY o.world, o.year
