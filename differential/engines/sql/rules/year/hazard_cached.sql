-- 5.6 with hazard_cache: the hazard of each candidate below the top level, looked up.
SELECT c.person, h.hazard_ppm
FROM promotion_candidate c
JOIN hazard h USING (world, level, tenure_band, age_band)
