-- 5.3, 5.5: everyone of the year with the termination date of those selected to leave; `person` numbers them in the
-- canonical order of the output. Among the opening set selection is within a level, among new hires over all levels.
WITH present AS (
    SELECT * FROM people WHERE NOT is_new_hire
    UNION ALL BY NAME
    SELECT * FROM hired
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY world, is_new_hire, CASE WHEN is_new_hire THEN 0 ELSE level END ORDER BY exit_draw, employee_id
        ) AS exit_rank
    FROM present
)
SELECT
    row_number() OVER (ORDER BY r.world, r.employee_id) AS person,
    r.* EXCLUDE (
        exit_draw, exit_day_draw, hire_day_draw, age_draw, birth_day_draw, pay_draw, exit_rank, total_age_weight
    ),
    CASE
        WHEN is_new_hire AND exit_rank <= q.new_hire_exits
            THEN plus_days(r.hire_date, 1 + draw_below(exit_day_draw, y.last_day - r.hire_date))
        WHEN NOT is_new_hire AND exit_rank <= lq.exits
            THEN plus_days(y.first_day, draw_below(exit_day_draw, y.days))
    END AS termination_date
FROM ranked r
JOIN calendar y ON y.world = r.world AND y.year_index = $year_index
JOIN quota q ON q.world = r.world AND q.year_index = $year_index
LEFT JOIN level_quota lq ON lq.world = r.world AND lq.level = r.level
