-- I41 Success means rows
-- A run that planned events made them, nothing was done instead of what was asked, and a world with people has rows.
-- clause rows: people in the first opening set => state rows; an infeasible world has none
-- clause made [proof]: planned > 0 => events > 0, for hires and exits
-- clause fallbacks [proof]: the proof names nothing that was done instead
SELECT r.world, 'rows', NULL, r.start_year, NULL, 'no state rows', count(o.employee_id) || ' people in the opening set'
FROM run r
JOIN opening o ON o.world = r.world AND o.year = r.start_year
ANTI JOIN state s ON s.world = r.world
GROUP BY r.world, r.start_year
UNION ALL
SELECT r.world, 'rows', NULL, NULL, NULL, count(*) || ' state rows', 'none: the run says ' || r.infeasible_code
FROM run r
JOIN state s USING (world)
WHERE r.infeasible
GROUP BY r.world, r.infeasible_code
UNION ALL
SELECT 0, 'made', NULL, NULL, v.name, 'none', v.planned || ' planned'
FROM proof_in p,
LATERAL (VALUES
    ('hire', p.hires, (SELECT count(*) FROM event WHERE event_type = 'hire')),
    ('termination', p.exits + p.new_hire_exits, (SELECT count(*) FROM event WHERE event_type = 'termination'))
) v(name, planned, done)
WHERE v.planned > 0 AND v.done = 0
UNION ALL
SELECT 0, 'fallbacks', NULL, NULL, NULL, p.fallbacks, 'nothing'
FROM proof_in p
WHERE p.fallbacks <> ''
