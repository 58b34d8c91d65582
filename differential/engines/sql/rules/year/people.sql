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
-- The folds run over few columns and are joined back: what a statement costs to start grows with columns x layers.
key_started AS (
    SELECT
        e.world, e.employee_id, e.is_new_hire, y.year,
        mix_start(w.seed_hash, e.employee_key) AS draw_hash, mix_start(w.pair_hash, e.employee_key) AS event_hash
    FROM everyone e
    JOIN world w USING (world)
    JOIN calendar y ON y.world = e.world AND y.year_index = $year_index
),
key_folded AS (
    SELECT world, employee_id, is_new_hire, year, mix_end(draw_hash) AS draw_hash, mix_end(event_hash) AS event_hash
    FROM key_started
),
year_started AS (
    SELECT
        world, employee_id, is_new_hire, mix_start(draw_hash, year) AS draw_hash, mix_start(event_hash, year) AS event_hash
    FROM key_folded
),
year_folded AS (
    SELECT world, employee_id, is_new_hire, mix_end(draw_hash) AS draw_hash, mix_end(event_hash) AS event_hash
    FROM year_started
),
stream_started AS (
    SELECT
        world, employee_id, draw_hash, event_hash,
        mix_start(draw_hash, CASE WHEN is_new_hire THEN 7 ELSE 1 END) AS exit_draw,
        mix_start(draw_hash, CASE WHEN is_new_hire THEN 8 ELSE 2 END) AS exit_day_draw
    FROM year_folded
),
drawn AS (
    SELECT
        world, employee_id, draw_hash, event_hash,
        mix_end(exit_draw)::UBIGINT AS exit_draw, mix_end(exit_day_draw)::UBIGINT AS exit_day_draw
    FROM stream_started
)
SELECT * FROM everyone JOIN drawn USING (world, employee_id)
