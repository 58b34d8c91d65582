-- 5.6: of the opening set, who can be promoted on 1 February, with the bands of completed years that day.
WITH on_the_day AS (
    SELECT
        p.person, p.world, p.level,
        completed_years(p.birth_date, y.promotion_day) AS age,
        completed_years(p.hire_date, y.promotion_day) AS service
    FROM person p
    JOIN calendar y ON y.world = p.world AND y.year_index = $year_index
    WHERE NOT p.is_new_hire AND p.end_day >= y.promotion_day
)
SELECT person, world, level, tenure_band(service) AS tenure_band, age_band(age) AS age_band
FROM on_the_day
WHERE service >= 1 AND age < 65
