-- I03 Plan and execution
-- As many people are hired and leave, in all and per level, as the plan recomputed from the opening set says.
-- needs: scenario
-- clause hires: count of hire events = ceil(10 000 net / (10 000 - h)), or 0
-- clause exits: count of terminations of people of the opening set = (e t + p h) // 10 000, or what the target leaves
-- clause new_hire_exits: count of terminations of people hired in the year = hires - net
-- clause hires_per_level: hire events of a level = its largest-remainder share of the hires
-- clause exits_per_level: terminations of a level of the opening set = its largest-remainder share of the exits
-- clause quotas_add_up: the shares of all levels add up to the total
WITH done AS (
    SELECT
        p.world, p.year,
        count(*) FILTER (e.event_type = 'hire') AS hires,
        count(*) FILTER (e.event_type = 'termination' AND h.employee_id IS NULL) AS exits,
        count(*) FILTER (e.event_type = 'termination' AND h.employee_id IS NOT NULL) AS new_hire_exits
    FROM plan p
    LEFT JOIN event e ON e.world = p.world AND e.year = p.year AND e.event_type IN ('hire', 'termination')
    LEFT JOIN (SELECT DISTINCT world, year, employee_id FROM event WHERE event_type = 'hire') h
        ON h.world = e.world AND h.year = e.year AND h.employee_id = e.employee_id
    GROUP BY ALL
),
done_by_level AS (
    SELECT
        q.world, q.year, q.level, q.hires, q.exits,
        (SELECT count(*) FROM event e
         WHERE e.world = q.world AND e.year = q.year AND e.event_type = 'hire' AND e.level = q.level) AS hires_done,
        (SELECT count(*) FROM event e JOIN opening o USING (world, year, employee_id)
         WHERE e.world = q.world AND e.year = q.year AND e.event_type = 'termination' AND o.level = q.level) AS exits_done
    FROM plan_level q
)
SELECT world, 'hires', NULL, year, 'hire', d.hires::VARCHAR, p.hires::VARCHAR
FROM plan p JOIN done d USING (world, year) WHERE d.hires <> p.hires
UNION ALL
SELECT world, 'exits', NULL, year, 'termination', d.exits::VARCHAR, p.exits::VARCHAR
FROM plan p JOIN done d USING (world, year) WHERE d.exits <> p.exits
UNION ALL
SELECT world, 'new_hire_exits', NULL, year, 'termination', d.new_hire_exits::VARCHAR, p.new_hire_exits::VARCHAR
FROM plan p JOIN done d USING (world, year) WHERE d.new_hire_exits <> p.new_hire_exits
UNION ALL
SELECT world, 'hires_per_level', NULL, year, 'hire', hires_done || ' in level ' || level, hires::VARCHAR
FROM done_by_level WHERE hires_done <> hires
UNION ALL
SELECT world, 'exits_per_level', NULL, year, 'termination', exits_done || ' in level ' || level, exits::VARCHAR
FROM done_by_level WHERE exits_done <> exits
UNION ALL
SELECT world, 'quotas_add_up', NULL, year, NULL,
       sum(q.hires) || ' hires and ' || sum(q.exits) || ' exits over levels', p.hires || ' and ' || p.exits
FROM plan_level q JOIN plan p USING (world, year)
GROUP BY world, year, p.hires, p.exits
HAVING sum(q.hires) <> p.hires OR sum(q.exits) <> p.exits
