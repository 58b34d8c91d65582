-- 5.8, 4: each person's window of employment, eligibility date and draws of the per-person families, for one shard.
WITH stream_a AS (
    SELECT
        *,
        mix_a(draw_hash, 9) AS promotion_draw,
        mix_a(draw_hash, 10) AS opt_out_draw, mix_a(draw_hash, 11) AS opt_out_day_draw,
        mix_a(draw_hash, 12) AS voluntary_draw, mix_a(draw_hash, 13) AS voluntary_day_draw,
        mix_a(draw_hash, 14) AS voluntary_rate_draw
    FROM roster
    WHERE employee_key % $shards::UBIGINT = $shard::UBIGINT
),
stream_b AS (
    SELECT * REPLACE (
        mix_b(promotion_draw) AS promotion_draw, mix_b(opt_out_draw) AS opt_out_draw,
        mix_b(opt_out_day_draw) AS opt_out_day_draw, mix_b(voluntary_draw) AS voluntary_draw,
        mix_b(voluntary_day_draw) AS voluntary_day_draw, mix_b(voluntary_rate_draw) AS voluntary_rate_draw
    )
    FROM stream_a
)
SELECT
    r.* EXCLUDE (draw_hash) REPLACE (
        mix_c(promotion_draw)::UBIGINT AS promotion_draw, mix_c(opt_out_draw)::UBIGINT AS opt_out_draw,
        mix_c(opt_out_day_draw)::UBIGINT AS opt_out_day_draw, mix_c(voluntary_draw)::UBIGINT AS voluntary_draw,
        mix_c(voluntary_day_draw)::UBIGINT AS voluntary_day_draw,
        mix_c(voluntary_rate_draw)::UBIGINT AS voluntary_rate_draw
    ),
    y.* EXCLUDE (world),
    w.scenario_id, w.plan_design_id,
    greatest(y.first_day, r.hire_date) AS start_day,
    coalesce(r.termination_date, y.last_day) AS end_day,
    -- least and greatest pass over nulls; no argument here can be null
    greatest(
        anniversary_after(r.birth_date, w.minimum_age), plus_days(r.hire_date, w.waiting_period_days)
    ) AS eligibility_date
FROM stream_b r
JOIN calendar y ON y.world = r.world AND y.year_index = $year_index
JOIN world w ON w.world = r.world
