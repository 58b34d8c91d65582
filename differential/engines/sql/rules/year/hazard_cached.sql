-- 5.6 with hazard_cache: looked up; null for those who are no candidates or hold the top level.
SELECT p.*, h.hazard_ppm
FROM promotion_candidate p
LEFT JOIN hazard h USING (world, level, tenure_band, age_band)
