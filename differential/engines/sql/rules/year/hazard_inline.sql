-- 5.6 without hazard_cache: the hazard of each candidate below the top level; null for everyone else.
WITH undamped AS (
    SELECT
        p.*, l.promotion_bp IS NOT NULL AS is_below_top, w.level_dampener_bp,
        w.base_hazard_ppm * w.tenure_multipliers[p.tenure_band] * w.age_multipliers[p.age_band] // 100000000 AS ppm
    FROM promotion_candidate p
    JOIN world w USING (world)
    JOIN level l ON l.world = p.world AND l.level = p.level
)
SELECT
    * EXCLUDE (is_below_top, level_dampener_bp, ppm),
    CASE
        WHEN is_below_top AND ppm IS NOT NULL
            THEN least(1000000, ppm * greatest(0, 10000 - level_dampener_bp * (level - 1)) // 10000)
    END AS hazard_ppm
FROM undamped
