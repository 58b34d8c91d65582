-- I31 Drawn dates spread out
-- Drawn dates of hires and experienced exits are spread evenly over the days they may fall on; tested from 1 000 events on, at p = 1e-9.
-- needs: scenario
-- clause twelfths: chi-square of the dates over twelfths of the year <= critical value
-- clause weekdays: chi-square of the day of the year modulo 7 <= critical value
-- clause over_years: chi-square, over twelfths, of the days between the dates of equal hire numbers in consecutive years <= critical value
WITH hired AS (
    SELECT DISTINCT world, year, employee_id FROM event WHERE event_type = 'hire'
),
dated AS (
    SELECT
        e.world, e.event_type, e.employee_id, e.year,
        -- a hire never falls on 31 December
        dayofyear(e.day) - 1 AS position,
        CASE WHEN is_leap(e.year) THEN 366 ELSE 365 END - CASE WHEN e.event_type = 'hire' THEN 1 ELSE 0 END AS days
    FROM event e
    LEFT JOIN hired h USING (world, year, employee_id)
    WHERE e.event_type = 'hire' OR (e.event_type = 'termination' AND h.employee_id IS NULL)
),
apart AS (
    SELECT a.world, a.event_type, (a.position - b.position + b.days) % b.days AS position, b.days
    FROM dated a
    JOIN dated b ON a.world = b.world AND a.year = b.year + 1 AND right(a.employee_id, 6) = right(b.employee_id, 6)
    WHERE a.event_type = 'hire' AND b.event_type = 'hire'
),
binned AS (
    SELECT 'twelfths' AS clause, world, event_type, 12 AS bins, position * 12 // days AS bin, days FROM dated
    UNION ALL
    SELECT 'weekdays', world, event_type, 7, position % 7, days FROM dated
    UNION ALL
    SELECT 'over_years', world, event_type, 12, position * 12 // days, days FROM apart
),
per_bin AS (
    SELECT clause, world, event_type, bins, bin, days, count(*) AS n FROM binned GROUP BY ALL
),
total AS (
    SELECT clause, world, event_type, bins, days, sum(n) AS n FROM per_bin GROUP BY ALL
),
-- how many days of the range fall into each bin, so that bins of 30 and of 31 days are held to their share
expected AS (
    SELECT t.clause, t.world, t.event_type, t.bins, x.bin, sum(t.n * x.share) AS n
    FROM total t,
    LATERAL (
        SELECT CASE WHEN t.clause = 'weekdays' THEN d.day % 7 ELSE d.day * 12 // t.days END AS bin, count(*) / t.days AS share
        FROM (SELECT unnest(range(t.days)) AS day) d
        GROUP BY 1
    ) x
    GROUP BY ALL
),
statistic AS (
    SELECT
        e.clause, e.world, e.event_type, e.bins, sum(e.n) AS events,
        sum((coalesce(o.n, 0) - e.n) ** 2 / e.n) AS chi_square
    FROM expected e
    LEFT JOIN (SELECT clause, world, event_type, bin, sum(n) AS n FROM per_bin GROUP BY ALL) o USING (clause, world, event_type, bin)
    GROUP BY ALL
)
SELECT s.world, s.clause, NULL, NULL, s.event_type, printf('%.1f over %d events', s.chi_square, round(s.events)::BIGINT),
       printf('at most %.1f', c.value)
FROM statistic s
JOIN critical c ON c.bins = s.bins
WHERE round(s.events) >= 1000 AND s.chi_square > c.value
