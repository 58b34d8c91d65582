-- The year of each person cut where pay or rate changes (5.11): days with constant pay and rate inside the employed window.
CREATE OR REPLACE TEMP TABLE segment AS
WITH point AS (
    SELECT world, employee_id, year, window_first AS day, 0 AS code, opening_pay AS pay, opening_rate AS rate
    FROM person_year
    UNION ALL
    SELECT world, employee_id, year, day, code,
           CASE WHEN event_type IN ('hire', 'promotion', 'raise') THEN amount END,
           CASE WHEN event_type IN ('enrollment', 'deferral_escalation', 'enrollment_change') THEN rate END
    FROM event
    WHERE event_type IN ('hire', 'promotion', 'raise', 'enrollment', 'deferral_escalation', 'enrollment_change')
),
filled AS (
    SELECT
        p.world, p.employee_id, p.year, greatest(p.day, y.window_first) AS first_day,
        y.window_last,
        last_value(p.pay IGNORE NULLS) OVER so_far AS pay,
        last_value(p.rate IGNORE NULLS) OVER so_far AS rate,
        lead(greatest(p.day, y.window_first)) OVER in_order AS next_day
    FROM point p
    JOIN (SELECT DISTINCT ON (world, employee_id, year) world, employee_id, year, window_first, window_last FROM person_year) y
        USING (world, employee_id, year)
    WINDOW
        in_order AS (PARTITION BY p.world, p.employee_id, p.year ORDER BY greatest(p.day, y.window_first), p.code),
        so_far AS (PARTITION BY p.world, p.employee_id, p.year ORDER BY greatest(p.day, y.window_first), p.code
                   ROWS UNBOUNDED PRECEDING)
)
SELECT
    world, employee_id, year, first_day, pay, rate,
    least(coalesce(next_day, (window_last + 1)::DATE), (window_last + 1)::DATE) - first_day AS days
FROM filled
WHERE least(coalesce(next_day, (window_last + 1)::DATE), (window_last + 1)::DATE) > first_day;
