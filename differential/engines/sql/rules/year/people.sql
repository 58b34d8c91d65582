-- 5.1, 5.4, 4: the opening set and the numbered new hires.
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
)
SELECT
    e.*,
    fold(fold(w.seed_hash, e.employee_key), y.year) AS draw_hash,
    fold(fold(w.pair_hash, e.employee_key), y.year) AS event_hash
FROM everyone e
JOIN world w USING (world)
JOIN calendar y ON y.world = e.world AND y.year_index = $year_index
