-- The plan split over levels by largest remainder of opening headcount (5.3, 5.4), ties to the lower level.
CREATE OR REPLACE TEMP TABLE plan_level AS
WITH population AS (
    SELECT p.*, l.level, count(o.employee_id) AS people
    FROM plan p
    JOIN level l USING (world)
    LEFT JOIN opening o ON o.world = p.world AND o.year = p.year AND o.level = l.level
    WHERE p.headcount > 0
    GROUP BY ALL
),
shared AS (
    SELECT
        *,
        exits * people // headcount AS exits_floor,
        hires * people // headcount AS hires_floor,
        row_number() OVER (PARTITION BY world, year ORDER BY exits * people % headcount DESC, level) AS exits_rank,
        row_number() OVER (PARTITION BY world, year ORDER BY hires * people % headcount DESC, level) AS hires_rank
    FROM population
)
SELECT
    world, year, level, people,
    exits_floor + CASE WHEN exits_rank <= exits - sum(exits_floor) OVER whole THEN 1 ELSE 0 END AS exits,
    hires_floor + CASE WHEN hires_rank <= hires - sum(hires_floor) OVER whole THEN 1 ELSE 0 END AS hires
FROM shared
WINDOW whole AS (PARTITION BY world, year);
