-- Sections 4 and 6: the words that do not change within a world are folded once.
INSERT INTO world BY NAME
SELECT
    *,
    fold(0::UHUGEINT, random_seed) AS seed_hash,
    fold(fold(0::UHUGEINT, text_key(scenario_id)), text_key(plan_design_id)) AS pair_hash
FROM worlds_in
