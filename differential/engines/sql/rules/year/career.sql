-- 5.6, 5.7: promotion on 1 February and raise on 15 July. pay_1 holds from 1 January, pay_2 from 1 February, pay_3 from
-- 15 July, whether or not there was an event; level_1 and level_2 likewise.
WITH drawn AS (
    SELECT
        h.* RENAME (level AS level_1, pay AS pay_1),
        hazard_ppm IS NOT NULL AND chance(promotion_draw, coalesce(hazard_ppm, 0)) AS is_promoted,
        completed_years(hire_date, raise_day) >= 1 AND end_day >= raise_day AS has_served_a_year,
        l.promotion_bp, l.merit_bp, l.merit_above_bp, w.max_cap_bp, w.max_cap_amount, w.cola_bp
    FROM hazard_of_person h
    JOIN world w USING (world)
    JOIN level l ON l.world = h.world AND l.level = h.level
),
promoted AS (
    SELECT
        * REPLACE (CASE WHEN is_promoted THEN merit_above_bp ELSE merit_bp END AS merit_bp),
        CASE WHEN is_promoted THEN level_1 + 1 ELSE level_1 END AS level_2,
        CASE
            WHEN is_promoted
                THEN least(raised_pay(pay_1, promotion_bp), raised_pay(pay_1, max_cap_bp), pay_1 + max_cap_amount)
            ELSE pay_1
        END AS pay_2
    FROM drawn
),
entitled AS (
    SELECT *, has_served_a_year AND merit_bp + cola_bp > 0 AS is_raised FROM promoted
)
SELECT
    * EXCLUDE (
        promotion_draw, tenure_band, age_band, has_served_a_year, promotion_bp, merit_above_bp, max_cap_bp, max_cap_amount
    ),
    CASE WHEN is_raised THEN raised_pay(pay_2, merit_bp + cola_bp) ELSE pay_2 END AS pay_3
FROM entitled
