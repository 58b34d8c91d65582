-- I05 One exit
-- Nobody leaves twice, and nobody who has left is active.
-- clause once: terminations of a person over all years <= 1
-- clause gone: no termination before or in y for those in A(y)
SELECT world, 'once', employee_id, max(year), 'termination', count(*) || ' terminations', 'at most 1'
FROM event
WHERE event_type = 'termination'
GROUP BY world, employee_id
HAVING count(*) > 1
UNION ALL
SELECT s.world, 'gone', s.employee_id, s.year, 'termination', 'active at the end of ' || s.year, 'terminated on ' || min(e.day)
FROM state s
JOIN event e ON e.world = s.world AND e.employee_id = s.employee_id AND e.event_type = 'termination' AND e.year <= s.year
WHERE s.is_active
GROUP BY s.world, s.employee_id, s.year
