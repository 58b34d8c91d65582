-- 4: the draws of the per-person families, for one shard.
WITH drawn AS (
    SELECT person, fold_each(draw_hash, [9, 10, 11, 12, 13, 14])::UBIGINT[] AS draws
    FROM roster
    WHERE employee_key % $shards::UBIGINT = $shard::UBIGINT
)
SELECT
    person,
    draws[1] AS promotion_draw,
    draws[2] AS opt_out_draw, draws[3] AS opt_out_day_draw,
    draws[4] AS voluntary_draw, draws[5] AS voluntary_day_draw, draws[6] AS voluntary_rate_draw
FROM drawn
