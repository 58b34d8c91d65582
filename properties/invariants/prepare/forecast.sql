-- All years' quotas from the first opening set, as 5.2 checks them before any row is made: the first year without a plan, and why.
CREATE OR REPLACE TEMP TABLE forecast AS
WITH RECURSIVE first AS (
    SELECT r.world, r.start_year, r.end_year, (SELECT count(*) FROM member m WHERE m.world = r.world) AS headcount
    FROM run r
    WHERE r.has_census
),
years AS (
    SELECT world, end_year, start_year AS year, headcount::BIGINT AS headcount, 0::BIGINT AS recent, NULL::VARCHAR AS code,
           0::BIGINT AS net
    FROM first
    UNION ALL
    SELECT
        q.world, q.end_year, q.year + 1, q.target, CASE WHEN q.net > 0 THEN q.net ELSE 0 END,
        CASE WHEN q.net > 0 AND q.h_bp = 10000 THEN 'new_hire_exits_certain'
             WHEN q.net > 0 AND (10000 * q.net + (10000 - q.h_bp) - 1) // (10000 - q.h_bp) > 999999 THEN 'too_many_hires' END,
        q.net
    FROM (
        SELECT y.*, w.new_hire_termination_rate AS h_bp,
               half_up(y.headcount * (10000 + w.target_growth_rate), 10000)::BIGINT AS target,
               half_up(y.headcount * (10000 + w.target_growth_rate), 10000)::BIGINT - (y.headcount
                   - ((y.headcount - y.recent) * w.total_termination_rate + y.recent * w.new_hire_termination_rate) // 10000)
                   AS net
        FROM (SELECT world, end_year, year, headcount, recent, code FROM years) y
        JOIN scenario w USING (world)
        WHERE y.year <= y.end_year AND y.code IS NULL
    ) q
)
-- `code` in row y + 1 is about year y
SELECT world, year - 1 AS year, code FROM years WHERE code IS NOT NULL;
