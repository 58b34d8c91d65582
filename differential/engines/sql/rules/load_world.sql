-- Section 4 and 6: the words that do not change within a world, folded once.
-- seed_hash = fold(0, seed); pair_hash = fold(fold(0, text_key(scenario_id)), text_key(plan_design_id)).
INSERT INTO world BY NAME
WITH a AS (
    SELECT *, mix_a(0::UHUGEINT, random_seed) AS seed_hash, mix_a(0::UHUGEINT, text_key(scenario_id)) AS pair_hash
    FROM worlds_in
), b AS (
    SELECT * REPLACE (mix_b(seed_hash) AS seed_hash, mix_b(pair_hash) AS pair_hash) FROM a
), c AS (
    SELECT * REPLACE (mix_c(seed_hash) AS seed_hash, mix_a(mix_c(pair_hash), text_key(plan_design_id)) AS pair_hash) FROM b
), d AS (
    SELECT * REPLACE (mix_b(pair_hash) AS pair_hash) FROM c
)
SELECT * REPLACE (mix_c(pair_hash) AS pair_hash) FROM d
