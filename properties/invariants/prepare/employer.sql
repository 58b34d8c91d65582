-- Match and core of each person's year, recomputed from 5.11: by tiers and days, then reduced to the limit on annual additions.
CREATE OR REPLACE TEMP TABLE employer AS
WITH tiered AS (
    SELECT
        s.world, s.employee_id, s.year,
        least(s.pay, l.compensation)::HUGEINT * s.days AS pay_days,
        CASE WHEN s.rate > 0 THEN
            least(w.employer_match_cap_percent * 10000,
                  list_sum([t.match_rate * greatest(0, least(s.rate, t.employee_max) - t.employee_min) FOR t IN w.employer_match_tiers]))
        ELSE 0 END AS matched_bp2
    FROM segment s
    JOIN scenario w USING (world)
    JOIN limit_row l USING (world, year)
),
summed AS (
    SELECT world, employee_id, year, sum(pay_days) AS pay_days, sum(pay_days * matched_bp2) AS match_sum
    FROM tiered
    GROUP BY ALL
),
whole AS (
    SELECT
        p.world, p.employee_id, p.year, p.match, p.core, p.matched, p.cored, p.contribution,
        CASE WHEN p.employer_match_enabled THEN half_up(s.match_sum, 100000000::HUGEINT * p.days) ELSE 0 END AS full_match,
        CASE WHEN p.employer_core_enabled AND p.eligibility <= p.window_last
             THEN half_up(p.employer_core_contribution_rate * s.pay_days, 10000 * p.days) ELSE 0 END AS full_core,
        least(p.contribution, l.elective_deferral) AS base,
        l.annual_additions
    FROM eligible p
    JOIN summed s USING (world, employee_id, year)
    JOIN limit_row l USING (world, year)
    WHERE p.opening_pay IS NOT NULL
),
excess AS (
    SELECT *, greatest(0, base + full_match + full_core - annual_additions) AS excess FROM whole
)
SELECT *, greatest(0, full_core - excess) AS stated_core, full_match - greatest(0, excess - full_core) AS stated_match
FROM excess;
