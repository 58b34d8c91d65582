-- 5.3, 5.5: everyone of the year with the termination date of those selected to leave; `person` numbers them in the
-- canonical order of the output. Among the opening set selection is within a level, among new hires over all levels.
WITH ranked AS (
    SELECT
        p.* EXCLUDE (birth_date, hire_date, pay, exit_draw),
        coalesce(h.birth_date, p.birth_date) AS birth_date,
        coalesce(h.hire_date, p.hire_date) AS hire_date,
        coalesce(h.pay, p.pay) AS pay,
        row_number() OVER (ORDER BY p.world, p.employee_id) AS person,
        row_number() OVER (
            PARTITION BY p.world, p.is_new_hire, CASE WHEN p.is_new_hire THEN 0 ELSE p.level END
            ORDER BY p.exit_draw, p.employee_id
        ) AS exit_rank
    FROM people p
    LEFT JOIN hired h USING (world, employee_id)
)
SELECT
    r.* EXCLUDE (exit_day_draw, exit_rank),
    CASE
        WHEN is_new_hire AND exit_rank <= q.new_hire_exits
            THEN plus_days(hire_date, 1 + draw_below(exit_day_draw, y.last_day - hire_date))
        WHEN NOT is_new_hire AND exit_rank <= lq.exits
            THEN plus_days(y.first_day, draw_below(exit_day_draw, y.days))
    END AS termination_date
FROM ranked r
JOIN calendar y ON y.world = r.world AND y.year_index = $year_index
JOIN quota q ON q.world = r.world AND q.year_index = $year_index
LEFT JOIN level_quota lq ON lq.world = r.world AND lq.level = r.level
