-- 5.4: hire date, age, birth date and pay of the year's new hires.
WITH stream_started AS (
    SELECT
        world, employee_id, level,
        mix_start(draw_hash, 3) AS hire_day_draw, mix_start(draw_hash, 4) AS age_draw,
        mix_start(draw_hash, 5) AS birth_day_draw, mix_start(draw_hash, 6) AS pay_draw
    FROM people
    WHERE is_new_hire
),
drawn AS (
    SELECT
        world, employee_id, level,
        mix_end(hire_day_draw)::UBIGINT AS hire_day_draw, mix_end(age_draw)::UBIGINT AS age_draw,
        mix_end(birth_day_draw)::UBIGINT AS birth_day_draw, mix_end(pay_draw)::UBIGINT AS pay_draw
    FROM stream_started
),
placed AS (
    SELECT
        d.world, employee_id, y.year, birth_day_draw,
        draw_below(age_draw, w.total_age_weight) AS age_point,
        plus_days(y.first_day, draw_below(hire_day_draw, y.days - 1)) AS hire_date,
        l.minimum + draw_below(pay_draw, l.maximum - l.minimum + 1) AS pay
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
