-- Census people in the first opening set (5.1), with their initial level (section 2).
CREATE OR REPLACE TEMP TABLE member AS
WITH in_census AS (
    SELECT
        c.world,
        c.employee_id,
        c.employee_ssn AS ssn,
        c.birth_date AS birth,
        c.hire_date,
        c.pay_cents AS pay,
        c.deferral_bp AS rate,
        r.start_year
    FROM census_in c
    JOIN run r USING (world)
    WHERE c.termination_date IS NULL AND c.hire_date < make_date(r.start_year, 1, 1)
),
initial AS (
    SELECT o.world, o.employee_id, max(l.level) AS level
    FROM in_census o
    JOIN level l ON l.world = o.world AND l.minimum <= o.pay
    GROUP BY ALL
)
SELECT o.*, CASE WHEN r.has_scenario THEN coalesce(i.level, 1) END AS level
FROM in_census o
JOIN run r USING (world)
LEFT JOIN initial i USING (world, employee_id);
