-- 5.11: prorated pay, contribution, match and core of the year, in cents. The year is cut at 1 February and 15 July (pay)
-- and at the escalation (rate); a cut where nothing changes leaves every sum as it is.
-- days_p: days employed at pay_p; days_p_r: days enrolled at pay_p and rate_r.
WITH windowed AS (
    SELECT
        e.*,
        least(e.pay_1, compensation_limit) AS capped_1,
        least(e.pay_2, compensation_limit) AS capped_2,
        least(e.pay_3, compensation_limit) AS capped_3,
        plus_days(promotion_day, -1) AS before_promotion,
        plus_days(raise_day, -1) AS before_raise,
        CASE WHEN plan_date > start_day THEN plan_date ELSE start_day END AS plan_start,
        CASE WHEN opted_out_on IS NULL THEN end_day ELSE plus_days(opted_out_on, -1) END AS plan_end,
        eligibility_date <= end_day AS is_eligible,
        completed_years(birth_date, last_day) >= 50 AS has_catch_up,
        match_bp2(rate_1_bp, w.match_tiers, w.match_cap_bp) AS match_1,
        match_bp2(rate_2_bp, w.match_tiers, w.match_cap_bp) AS match_2,
        w.match_enabled, w.core_enabled, w.core_bp
    FROM escalation e
    JOIN world w USING (world)
),
split AS (
    SELECT
        *,
        CASE WHEN escalated_on IS NULL THEN plan_end ELSE least(plan_end, plus_days(escalated_on, -1)) END AS end_1,
        CASE WHEN escalated_on IS NULL THEN plus_days(plan_end, 1) ELSE escalated_on END AS start_2
    FROM windowed
),
counted AS (
    SELECT
        *,
        overlap_days(start_day, end_day, first_day, before_promotion) AS days_1,
        overlap_days(start_day, end_day, promotion_day, before_raise) AS days_2,
        overlap_days(start_day, end_day, raise_day, last_day) AS days_3,
        overlap_days(plan_start, end_1, first_day, before_promotion) AS days_1_1,
        overlap_days(plan_start, end_1, promotion_day, before_raise) AS days_2_1,
        overlap_days(plan_start, end_1, raise_day, last_day) AS days_3_1,
        overlap_days(start_2, plan_end, first_day, before_promotion) AS days_1_2,
        overlap_days(start_2, plan_end, promotion_day, before_raise) AS days_2_2,
        overlap_days(start_2, plan_end, raise_day, last_day) AS days_3_2
    FROM split
),
summed AS (
    SELECT
        *,
        pay_1 * days_1 + pay_2 * days_2 + pay_3 * days_3 AS pay_days,
        capped_1 * days_1 + capped_2 * days_2 + capped_3 * days_3 AS capped_days,
        pay_1 * (rate_1_bp * days_1_1 + rate_2_bp * days_1_2)
            + pay_2 * (rate_1_bp * days_2_1 + rate_2_bp * days_2_2)
            + pay_3 * (rate_1_bp * days_3_1 + rate_2_bp * days_3_2) AS deferred_days,
        -- up to 7.4e20: 128 bits
        capped_1::HUGEINT * (match_1 * days_1_1 + match_2 * days_1_2)
            + capped_2::HUGEINT * (match_1 * days_2_1 + match_2 * days_2_2)
            + capped_3::HUGEINT * (match_1 * days_3_1 + match_2 * days_3_2) AS matched_days,
        elective_deferral + CASE WHEN has_catch_up THEN catch_up ELSE 0 END AS deferral_limit
    FROM counted
),
rounded AS (
    SELECT
        *,
        half_up(pay_days, days) AS prorated,
        least(deferral_limit, half_up(deferred_days, 10000 * days)) AS contribution,
        CASE WHEN match_enabled THEN half_up(matched_days, 100000000 * days::HUGEINT)::BIGINT ELSE 0 END AS full_match,
        CASE WHEN core_enabled AND is_eligible THEN half_up(core_bp * capped_days, 10000 * days) ELSE 0 END AS full_core
    FROM summed
),
-- 415: what is over the limit lowers core first, then match
limited AS (
    SELECT
        *,
        greatest(0, least(contribution, elective_deferral) + full_match + full_core - annual_additions) AS over_limit
    FROM rounded
)
SELECT
    * EXCLUDE (
        capped_1, capped_2, capped_3, before_promotion, before_raise, plan_start, plan_end, match_1, match_2, match_enabled,
        core_enabled, end_1, start_2, days_1, days_2, days_3, days_1_1, days_2_1, days_3_1, days_1_2, days_2_2, days_3_2,
        pay_days, capped_days, deferred_days, matched_days, full_match, full_core, over_limit, elective_deferral,
        catch_up, annual_additions, promotion_day, raise_day, days
    ),
    greatest(0, full_core - over_limit) AS core,
    greatest(0, full_match - greatest(0, over_limit - full_core)) AS match
FROM limited
