-- I33 This run's rows
-- Every row carries this run's scenario, plan and years.
-- clause names [scenario]: scenario_id and plan_design_id are the scenario's
-- clause one_name: all rows of a run have one scenario_id and plan_design_id
-- clause years [scenario]: start_year <= simulation_year <= end_year
WITH named AS (
    SELECT world, employee_id, year, event_type, scenario_id, plan_design_id FROM event
    UNION ALL
    SELECT world, employee_id, year, NULL, scenario_id, plan_design_id FROM state
)
SELECT n.world, 'names', n.employee_id, n.year, n.event_type, coalesce(n.scenario_id, 'null') || ', ' || coalesce(n.plan_design_id, 'null'),
       w.scenario_id || ', ' || w.plan_design_id
FROM named n
JOIN scenario w USING (world)
WHERE n.scenario_id IS DISTINCT FROM w.scenario_id OR n.plan_design_id IS DISTINCT FROM w.plan_design_id
UNION ALL
SELECT world, 'one_name', NULL, NULL, NULL, count(DISTINCT (scenario_id, plan_design_id)) || ' names', '1'
FROM named
GROUP BY world
HAVING count(DISTINCT (scenario_id, plan_design_id)) > 1
UNION ALL
SELECT n.world, 'years', n.employee_id, n.year, n.event_type, coalesce(n.year::VARCHAR, 'null'), r.start_year || ' to ' || r.end_year
FROM named n
JOIN run r USING (world)
WHERE r.has_scenario AND (n.year BETWEEN r.start_year AND r.end_year) IS DISTINCT FROM true
