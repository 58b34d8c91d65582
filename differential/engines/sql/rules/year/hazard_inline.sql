-- 5.6 without hazard_cache: the hazard of each candidate below the top level.
WITH undamped AS (
    SELECT
        c.person, c.level, w.level_dampener_bp,
        w.base_hazard_ppm * w.tenure_multipliers[c.tenure_band] * w.age_multipliers[c.age_band] // 100000000 AS ppm
    FROM promotion_candidate c
    JOIN world w USING (world)
    JOIN level l ON l.world = c.world AND l.level = c.level
    WHERE l.promotion_bp IS NOT NULL
)
SELECT
    person,
    least(1000000, ppm * greatest(0, 10000 - level_dampener_bp * (level - 1)) // 10000) AS hazard_ppm
FROM undamped
