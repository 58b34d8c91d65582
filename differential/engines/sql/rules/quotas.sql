-- 5.1, 5.2: headcount plan of every world and year, from the first opening set alone. A world stops at the first year that
-- cannot be simulated and carries its code there.
INSERT INTO quota BY NAME
WITH RECURSIVE opening AS (
    SELECT world, count(employee_id) AS headcount
    FROM world
    LEFT JOIN census USING (world)
    WHERE employee_id IS NULL OR (termination_date IS NULL AND hire_date < make_date(start_year, 1, 1))
    GROUP BY world
),
solved AS (
    SELECT
        world, -1 AS year_index, 0::BIGINT AS headcount, coalesce(headcount, 0)::BIGINT AS target, 0::BIGINT AS net,
        0::BIGINT AS exits, 0::BIGINT AS hires, NULL::VARCHAR AS code
    FROM world LEFT JOIN opening USING (world)
    UNION ALL
    SELECT
        world, year_index, headcount, target, net,
        CASE WHEN net <= 0 THEN exits - net ELSE exits END,
        hires,
        CASE WHEN net > 0 AND h = 10000 THEN 'new_hire_exits_certain' WHEN hires > 999999 THEN 'too_many_hires' END
    FROM (
        SELECT
            *,
            -- ceil(10 000 net / (10 000 - h)); the guard keeps the divisor above 0 where h = 10 000 is the error
            CASE WHEN net > 0 THEN (10000 * net + 9999 - h) // greatest(1, 10000 - h) ELSE 0 END AS hires
        FROM (
            SELECT *, target - (headcount - exits) AS net
            FROM (
                SELECT
                    world, year_index + 1 AS year_index, target AS headcount, new_hire_termination_bp AS h,
                    half_up(target * (10000 + growth_bp), 10000) AS target,
                    -- p, last year's hires who stayed, is last year's net when there were hires
                    ((target - greatest(net, 0)) * termination_bp + greatest(net, 0) * new_hire_termination_bp) // 10000
                        AS exits
                FROM solved JOIN world USING (world)
                WHERE year_index + 1 < years AND code IS NULL
            )
        )
    )
)
SELECT
    world, year_index, headcount, hires, exits,
    CASE WHEN net > 0 THEN hires - net ELSE 0 END AS new_hire_exits, code
FROM solved
WHERE year_index >= 0
