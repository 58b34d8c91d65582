-- Sections 4 and 6: the words that do not change within a world, folded once.
-- seed_hash = fold(0, seed); pair_hash = fold(fold(0, text_key(scenario_id)), text_key(plan_design_id)).
INSERT INTO world BY NAME
WITH started AS (
    SELECT
        world,
        mix_start(0::UHUGEINT, random_seed) AS seed_hash,
        mix_start(0::UHUGEINT, text_key(scenario_id)) AS scenario_hash,
        text_key(plan_design_id) AS plan_key
    FROM worlds_in
),
folded AS (
    SELECT world, mix_end(seed_hash) AS seed_hash, mix_end(scenario_hash) AS scenario_hash, plan_key FROM started
),
paired AS (SELECT world, seed_hash, mix_start(scenario_hash, plan_key) AS pair_hash FROM folded),
hashes AS (SELECT world, seed_hash, mix_end(pair_hash) AS pair_hash FROM paired)
SELECT * FROM worlds_in JOIN hashes USING (world)
