-- 5.8: each person's window of employment and eligibility date; what the rules after this one need of the roster.
SELECT
    r.person, r.world, r.is_new_hire, r.birth_date, r.hire_date, r.level, r.pay,
    r.rate_bp, r.is_enrolled, r.enrollment_date, r.has_opted_out,
    y.first_day, y.last_day,
    greatest(y.first_day, r.hire_date) AS start_day,
    coalesce(r.termination_date, y.last_day) AS end_day,
    -- least and greatest pass over nulls; no argument here can be null
    greatest(
        anniversary_after(r.birth_date, w.minimum_age), plus_days(r.hire_date, w.waiting_period_days)
    ) AS eligibility_date
FROM roster r
JOIN calendar y ON y.world = r.world AND y.year_index = $year_index
JOIN world w ON w.world = r.world
WHERE r.employee_key % $shards::UBIGINT = $shard::UBIGINT
