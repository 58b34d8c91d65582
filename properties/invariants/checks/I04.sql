-- I04 Closure
-- What was done closes the year's headcount, no quota passes its population, and a world without a plan has a reason and no rows.
-- clause closes: |A(y-1)| + hires - exits = |A(y)|
-- clause new_hire_exits_fit: 0 <= new-hire exits <= hires
-- clause exits_fit [events.level_id]: exits of a level <= its people in the opening set
-- clause infeasible [scenario, census]: the run gives the reason of 5.2 exactly where the forecast of all years' quotas does
WITH counted AS (
    SELECT
        y.world, y.year,
        (SELECT count(*) FROM opening o WHERE o.world = y.world AND o.year = y.year) AS headcount,
        (SELECT count(*) FROM event e WHERE e.world = y.world AND e.year = y.year AND e.event_type = 'hire') AS hires,
        (SELECT count(*) FROM event e WHERE e.world = y.world AND e.year = y.year AND e.event_type = 'termination') AS exits,
        (SELECT count(*) FROM event e
         WHERE e.world = y.world AND e.year = y.year AND e.event_type = 'termination'
           AND NOT EXISTS (SELECT 1 FROM opening o
                           WHERE o.world = e.world AND o.year = e.year AND o.employee_id = e.employee_id)) AS new_hire_exits,
        (SELECT count(*) FROM state s WHERE s.world = y.world AND s.year = y.year AND s.is_active) AS active
    FROM simulated y
    WHERE y.opening_known
),
by_level AS (
    SELECT
        o.world, o.year, o.level, count(DISTINCT o.employee_id) AS people,
        count(e.employee_id) AS exits
    FROM opening o
    LEFT JOIN event e ON e.world = o.world AND e.year = o.year AND e.employee_id = o.employee_id AND e.event_type = 'termination'
    GROUP BY ALL
)
SELECT world, 'closes', NULL, year, NULL, headcount || ' + ' || hires || ' - ' || exits || ' = ' || (headcount + hires - exits),
       active || ' active'
FROM counted WHERE headcount + hires - exits <> active
UNION ALL
SELECT world, 'new_hire_exits_fit', NULL, year, 'termination', new_hire_exits::VARCHAR, 'at most ' || hires || ' hires'
FROM counted WHERE new_hire_exits > hires
UNION ALL
SELECT world, 'exits_fit', NULL, year, 'termination', exits || ' exits', people || ' people in level ' || level
FROM by_level WHERE exits > people
UNION ALL
SELECT r.world, 'infeasible', NULL, coalesce(f.year, r.infeasible_year), NULL,
       coalesce(r.infeasible_code || ' in ' || r.infeasible_year, 'has a result'),
       coalesce(f.code || ' in ' || f.year, 'has a result')
FROM run r
LEFT JOIN (SELECT world, arg_min(code, year) AS code, min(year) AS year FROM forecast GROUP BY world) f USING (world)
WHERE r.has_census AND (r.infeasible_code IS DISTINCT FROM f.code OR r.infeasible_year IS DISTINCT FROM f.year)
