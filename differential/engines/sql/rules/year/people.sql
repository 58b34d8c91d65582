-- 5.1, 5.4, 4: the opening set and the numbered new hires, with their draws of the year that work on the workforce.
-- draw_hash = fold over (seed, key, year); event_hash = fold over (scenario, plan, key, year), used by event_id.
WITH numbered AS (
    SELECT
        world, level, hires,
        sum(hires) OVER (PARTITION BY world ORDER BY level) - hires AS hires_below
    FROM level_quota
),
hire AS (
    SELECT world, level, unnest(generate_series(hires_below::BIGINT + 1, (hires_below + hires)::BIGINT)) AS hire_number
    FROM numbered
    WHERE hires > 0
),
hire_id AS (
    SELECT
        world, level, hire_number,
        'NH_' || year || '_' || lpad(hire_number::VARCHAR, 6, '0') AS employee_id,
        'SSN-' || (900000000 + year_index * 1000000 + hire_number) AS employee_ssn
    FROM hire
    JOIN calendar USING (world)
    WHERE year_index = $year_index
),
everyone AS (
    SELECT *, false AS is_new_hire, 0::BIGINT AS hire_number FROM opening
    UNION ALL BY NAME
    SELECT
        *, text_key(employee_id) AS employee_key, true AS is_new_hire, 0::BIGINT AS rate_bp, false AS is_enrolled,
        false AS has_opted_out, 0::BIGINT AS balance
    FROM hire_id
),
key_a AS (
    SELECT
        everyone.*, w.total_age_weight, y.year,
        mix_a(w.seed_hash, employee_key) AS draw_hash, mix_a(w.pair_hash, employee_key) AS event_hash
    FROM everyone
    JOIN world w USING (world)
    JOIN calendar y ON y.world = everyone.world AND y.year_index = $year_index
),
key_b AS (SELECT * REPLACE (mix_b(draw_hash) AS draw_hash, mix_b(event_hash) AS event_hash) FROM key_a),
year_a AS (
    SELECT * REPLACE (mix_a(mix_c(draw_hash), year) AS draw_hash, mix_a(mix_c(event_hash), year) AS event_hash) FROM key_b
),
year_b AS (SELECT * REPLACE (mix_b(draw_hash) AS draw_hash, mix_b(event_hash) AS event_hash) FROM year_a),
year_c AS (SELECT * REPLACE (mix_c(draw_hash) AS draw_hash, mix_c(event_hash) AS event_hash) FROM year_b),
stream_a AS (
    SELECT
        *,
        mix_a(draw_hash, CASE WHEN is_new_hire THEN 7 ELSE 1 END) AS exit_draw,
        mix_a(draw_hash, CASE WHEN is_new_hire THEN 8 ELSE 2 END) AS exit_day_draw,
        mix_a(draw_hash, 3) AS hire_day_draw, mix_a(draw_hash, 4) AS age_draw,
        mix_a(draw_hash, 5) AS birth_day_draw, mix_a(draw_hash, 6) AS pay_draw
    FROM year_c
),
stream_b AS (
    SELECT * REPLACE (
        mix_b(exit_draw) AS exit_draw, mix_b(exit_day_draw) AS exit_day_draw, mix_b(hire_day_draw) AS hire_day_draw,
        mix_b(age_draw) AS age_draw, mix_b(birth_day_draw) AS birth_day_draw, mix_b(pay_draw) AS pay_draw
    )
    FROM stream_a
)
SELECT * EXCLUDE (year) REPLACE (
    mix_c(exit_draw)::UBIGINT AS exit_draw, mix_c(exit_day_draw)::UBIGINT AS exit_day_draw,
    mix_c(hire_day_draw)::UBIGINT AS hire_day_draw, mix_c(age_draw)::UBIGINT AS age_draw,
    mix_c(birth_day_draw)::UBIGINT AS birth_day_draw, mix_c(pay_draw)::UBIGINT AS pay_draw
)
FROM stream_b
