-- 5.3, 5.4: exits and hires of the year split over levels by largest remainder of the opening headcount.
WITH share AS (
    SELECT
        o.world, o.level, q.exits AS all_exits, q.hires AS all_hires,
        q.exits * count(*) // q.headcount AS exits, q.exits * count(*) % q.headcount AS exits_rest,
        q.hires * count(*) // q.headcount AS hires, q.hires * count(*) % q.headcount AS hires_rest
    FROM opening o
    JOIN quota q ON q.world = o.world AND q.year_index = $year_index
    GROUP BY o.world, o.level, q.exits, q.hires, q.headcount
),
ranked AS (
    SELECT
        *,
        all_exits - sum(exits) OVER (PARTITION BY world) AS exits_left,
        all_hires - sum(hires) OVER (PARTITION BY world) AS hires_left,
        row_number() OVER (PARTITION BY world ORDER BY exits_rest DESC, level) AS exits_rank,
        row_number() OVER (PARTITION BY world ORDER BY hires_rest DESC, level) AS hires_rank
    FROM share
)
SELECT
    world, level,
    exits + (exits_rank <= exits_left)::BIGINT AS exits,
    hires + (hires_rank <= hires_left)::BIGINT AS hires
FROM ranked
