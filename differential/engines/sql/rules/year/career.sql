-- 5.6, 5.7: promotion on 1 February and raise on 15 July. pay_1 holds from 1 January, pay_2 from 1 February, pay_3 from
-- 15 July, whether or not there was an event; level_1 and level_2 likewise. hazard_ppm is null for no candidates.
WITH promoted AS (
    SELECT
        p.person, p.pay AS pay_1, l.level AS level_1, h.hazard_ppm, w.cola_bp,
        h.hazard_ppm IS NOT NULL AND chance(d.promotion_draw, h.hazard_ppm) AS is_promoted,
        completed_years(p.hire_date, y.raise_day) >= 1 AND p.end_day >= y.raise_day AS has_served_a_year,
        -- null at the top level, where nobody is promoted
        least(raised_pay(p.pay, l.promotion_bp), raised_pay(p.pay, w.max_cap_bp), p.pay + w.max_cap_amount) AS promoted_pay,
        l.merit_bp AS merit_here_bp, l.merit_above_bp
    FROM person p
    JOIN draws d USING (person)
    JOIN world w ON w.world = p.world
    JOIN calendar y ON y.world = p.world AND y.year_index = $year_index
    JOIN level l ON l.world = p.world AND l.level = p.level
    LEFT JOIN hazard_of_person h USING (person)
),
entitled AS (
    SELECT
        person, pay_1, level_1, hazard_ppm, is_promoted, has_served_a_year, cola_bp,
        CASE WHEN is_promoted THEN level_1 + 1 ELSE level_1 END AS level_2,
        CASE WHEN is_promoted THEN promoted_pay ELSE pay_1 END AS pay_2,
        CASE WHEN is_promoted THEN merit_above_bp ELSE merit_here_bp END AS merit_bp
    FROM promoted
)
SELECT
    person, level_1, level_2, hazard_ppm, is_promoted, merit_bp, cola_bp, pay_1, pay_2,
    has_served_a_year AND merit_bp + cola_bp > 0 AS is_raised,
    -- with merit and cola of 0 this leaves pay as it is
    CASE WHEN has_served_a_year THEN raised_pay(pay_2, merit_bp + cola_bp) ELSE pay_2 END AS pay_3
FROM entitled
