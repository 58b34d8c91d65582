-- 5.3, 5.5: everyone of the year with the termination date of those selected to leave; `person` numbers them in the
-- canonical order of the output. Among the opening set selection is within a level, among new hires over all levels.
WITH drawn AS (
    SELECT *, fold_each(draw_hash, CASE WHEN is_new_hire THEN [7, 8] ELSE [1, 2] END)::UBIGINT[] AS exit_draws
    FROM people
),
ranked AS (
    SELECT
        p.* EXCLUDE (birth_date, hire_date, pay),
        coalesce(h.birth_date, p.birth_date) AS birth_date,
        coalesce(h.hire_date, p.hire_date) AS hire_date,
        coalesce(h.pay, p.pay) AS pay,
        row_number() OVER (ORDER BY p.world, p.employee_id) AS person,
        row_number() OVER (
            PARTITION BY p.world, p.is_new_hire, CASE WHEN p.is_new_hire THEN 0 ELSE p.level END
            ORDER BY p.exit_draws[1], p.employee_id
        ) AS exit_rank
    FROM drawn p
    LEFT JOIN hired h USING (world, employee_id)
)
SELECT
    r.* EXCLUDE (exit_draws, exit_rank),
    CASE
        WHEN is_new_hire AND exit_rank <= q.new_hire_exits
            THEN plus_days(hire_date, 1 + draw_below(exit_draws[2], y.last_day - hire_date))
        WHEN NOT is_new_hire AND exit_rank <= lq.exits
            THEN plus_days(y.first_day, draw_below(exit_draws[2], y.days))
    END AS termination_date
FROM ranked r
JOIN calendar y ON y.world = r.world AND y.year_index = $year_index
JOIN quota q ON q.world = r.world AND q.year_index = $year_index
LEFT JOIN level_quota lq ON lq.world = r.world AND lq.level = r.level
