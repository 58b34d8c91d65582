-- 5.6, hazard_cache: the promotion hazard of every level below the top x tenure band x age band, once per run.
INSERT INTO hazard BY NAME
WITH cell AS (
    SELECT
        world, level, tenure_band, age_band, level_dampener_bp,
        base_hazard_ppm * tenure_multipliers[tenure_band] * age_multipliers[age_band] // 100000000 AS undamped_ppm
    FROM world
    JOIN level USING (world)
    CROSS JOIN (SELECT unnest(generate_series(1, 5))::INTEGER AS tenure_band)
    CROSS JOIN (SELECT unnest(generate_series(1, 5))::INTEGER AS age_band)
    WHERE promotion_bp IS NOT NULL
)
SELECT
    world, level, tenure_band, age_band,
    least(1000000, undamped_ppm * greatest(0, 10000 - level_dampener_bp * (level - 1)) // 10000) AS hazard_ppm
FROM cell
