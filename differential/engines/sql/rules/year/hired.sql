-- 5.4: hire date, age, birth date and pay of the year's new hires, by streams 3 to 6.
WITH drawn AS (
    SELECT world, employee_id, level, fold_each(draw_hash, [3, 4, 5, 6])::UBIGINT[] AS draws
    FROM people
    WHERE is_new_hire
),
placed AS (
    SELECT
        d.world, employee_id, y.year, draws[3] AS birth_day_draw,
        draw_below(draws[2], w.total_age_weight) AS age_point,
        plus_days(y.first_day, draw_below(draws[1], y.days - 1)) AS hire_date,
        l.minimum + draw_below(draws[4], l.maximum - l.minimum + 1) AS pay
    FROM drawn d
    JOIN world w USING (world)
    JOIN calendar y ON y.world = d.world AND y.year_index = $year_index
    JOIN level l ON l.world = d.world AND l.level = d.level
),
-- the first entry whose cumulative weight is > age_point is the last one whose weight before it is <= age_point
aged AS (
    SELECT p.world, employee_id, hire_date, pay, birth_day_draw, make_date(p.year - a.age, 1, 1) AS birth_year_first
    FROM placed p
    ASOF JOIN age_weight a ON a.world = p.world AND p.age_point >= a.weight_below
)
SELECT
    world, employee_id, hire_date, pay,
    plus_days(
        birth_year_first, draw_below(birth_day_draw, make_date(year(birth_year_first), 12, 31) - birth_year_first + 1)
    ) AS birth_date
FROM aged
