-- I03's plan: quotas of every simulated year, recomputed from the opening set (5.2). `hired_last_year` is p, `headcount` is n.
CREATE OR REPLACE TEMP TABLE plan AS
WITH headcount AS (
    SELECT
        y.world, y.year,
        count(o.employee_id) AS headcount,
        count(o.employee_id) FILTER (NOT y.is_first_year AND year(o.hire_date) = y.year - 1) AS hired_last_year
    FROM simulated y
    LEFT JOIN opening o USING (world, year)
    WHERE y.opening_known
    GROUP BY ALL
),
sized AS (
    SELECT
        h.*,
        w.new_hire_termination_rate AS h_bp,
        half_up(headcount * (10000 + w.target_growth_rate), 10000)::BIGINT AS target,
        ((headcount - hired_last_year) * w.total_termination_rate + hired_last_year * w.new_hire_termination_rate) // 10000
            AS usual_exits
    FROM headcount h
    JOIN scenario w USING (world)
),
net AS (
    SELECT *, target - (headcount - usual_exits) AS net FROM sized
)
SELECT
    world, year, headcount, hired_last_year, target,
    CASE WHEN net <= 0 THEN usual_exits - net ELSE usual_exits END AS exits,
    CASE WHEN net <= 0 THEN 0 ELSE (10000 * net + (10000 - h_bp) - 1) // (10000 - h_bp) END AS hires,
    CASE WHEN net <= 0 THEN 0 ELSE (10000 * net + (10000 - h_bp) - 1) // (10000 - h_bp) - net END AS new_hire_exits
FROM net
-- a certain exit of every hire has no plan; such a world is infeasible and has no rows (I04)
WHERE net <= 0 OR h_bp < 10000;
