-- 5.11: contribution before its limit and match before the limit of section 415, of everyone in the plan this year. The
-- enrolled window is cut where pay may change (1 February, 15 July) and at the escalation; days_p_r: days at pay_p, rate_r.
WITH windowed AS (
    SELECT
        e.person, e.rate_1_bp, e.rate_2_bp, c.pay_1, c.pay_2, c.pay_3, p.world,
        greatest(e.plan_date, p.start_day) AS start_1,
        coalesce(plus_days(e.opted_out_on, -1), p.end_day) AS end_2,
        -- without an escalation the second window is empty
        coalesce(e.escalated_on, plus_days(p.last_day, 1)) AS start_2
    FROM escalation e
    JOIN person p USING (person)
    JOIN career c USING (person)
),
split AS (
    SELECT *, least(end_2, plus_days(start_2, -1)) AS end_1 FROM windowed
),
counted AS (
    SELECT
        s.person, s.rate_1_bp, s.rate_2_bp, s.pay_1, s.pay_2, s.pay_3, y.compensation_limit, y.days,
        match_bp2(s.rate_1_bp, w.match_tiers, w.match_cap_bp) AS match_1,
        match_bp2(s.rate_2_bp, w.match_tiers, w.match_cap_bp) AS match_2,
        w.match_enabled,
        overlap_days(start_1, end_1, y.first_day, y.january_end) AS days_1_1,
        overlap_days(start_1, end_1, y.promotion_day, y.before_raise) AS days_2_1,
        overlap_days(start_1, end_1, y.raise_day, y.last_day) AS days_3_1,
        overlap_days(start_2, end_2, y.first_day, y.january_end) AS days_1_2,
        overlap_days(start_2, end_2, y.promotion_day, y.before_raise) AS days_2_2,
        overlap_days(start_2, end_2, y.raise_day, y.last_day) AS days_3_2
    FROM split s
    JOIN world w USING (world)
    JOIN calendar y ON y.world = s.world AND y.year_index = $year_index
),
summed AS (
    SELECT
        person, days, match_enabled,
        pay_1 * (rate_1_bp * days_1_1 + rate_2_bp * days_1_2) + pay_2 * (rate_1_bp * days_2_1 + rate_2_bp * days_2_2)
            + pay_3 * (rate_1_bp * days_3_1 + rate_2_bp * days_3_2) AS deferred_days,
        -- up to 7.4e20: 128 bits
        least(pay_1, compensation_limit)::HUGEINT * (match_1 * days_1_1 + match_2 * days_1_2)
            + least(pay_2, compensation_limit)::HUGEINT * (match_1 * days_2_1 + match_2 * days_2_2)
            + least(pay_3, compensation_limit)::HUGEINT * (match_1 * days_3_1 + match_2 * days_3_2) AS matched_days
    FROM counted
)
SELECT
    person,
    half_up(deferred_days, 10000 * days) AS deferral,
    CASE WHEN match_enabled THEN half_up(matched_days, 100000000 * days::HUGEINT)::BIGINT ELSE 0 END AS full_match
FROM summed
