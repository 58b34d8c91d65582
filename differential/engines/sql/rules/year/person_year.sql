-- The person's year as one row: all that the event families and the state table say.
SELECT
    w.scenario_id, w.plan_design_id, w.minimum_age, w.waiting_period_days, w.core_bp,
    y.year, y.promotion_day, y.raise_day, y.compensation_limit,
    r.person, r.world, r.employee_id, r.employee_ssn, r.event_hash, r.is_new_hire, r.hire_number, r.balance,
    r.birth_date, r.hire_date, r.termination_date, r.enrollment_date, r.has_opted_out,
    p.start_day, p.end_day, p.eligibility_date,
    c.* EXCLUDE (person),
    coalesce(e.plan_date IS NOT NULL AND e.opted_out_on IS NULL, false) AS is_in_plan,
    e.* EXCLUDE (person, plan_date),
    m.* EXCLUDE (person)
FROM roster r
JOIN person p USING (person)
JOIN career c USING (person)
LEFT JOIN escalation e USING (person)
JOIN money m USING (person)
JOIN calendar y ON y.world = r.world AND y.year_index = $year_index
JOIN world w ON w.world = r.world
