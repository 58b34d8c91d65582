-- 5.4: hire date, age, birth date and pay of the year's new hires.
WITH aged AS (
    SELECT p.*, y.year, y.first_day, y.days, draw_below(age_draw, total_age_weight) AS age_point
    FROM people p
    JOIN calendar y ON y.world = p.world AND y.year_index = $year_index
    WHERE p.is_new_hire
),
-- the first entry whose cumulative weight is > age_point is the last one whose weight before it is <= age_point
born AS (
    SELECT aged.*, make_date(aged.year - w.age, 1, 1) AS birth_year_first, make_date(aged.year - w.age, 12, 31) AS birth_year_last
    FROM aged
    ASOF JOIN age_weight w ON w.world = aged.world AND aged.age_point >= w.weight_below
)
SELECT
    b.* EXCLUDE (birth_date, hire_date, pay, year, first_day, days, age_point, birth_year_first, birth_year_last),
    plus_days(birth_year_first, draw_below(birth_day_draw, birth_year_last - birth_year_first + 1)) AS birth_date,
    plus_days(first_day, draw_below(hire_day_draw, days - 1)) AS hire_date,
    l.minimum + draw_below(pay_draw, l.maximum - l.minimum + 1) AS pay
FROM born b
JOIN level l ON l.world = b.world AND l.level = b.level
