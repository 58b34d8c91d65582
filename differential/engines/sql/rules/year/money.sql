-- 5.11: contribution, match and core of the year after the limits, and prorated pay, in cents.
WITH rounded AS (
    SELECT
        p.person, m.prorated,
        coalesce(d.deferral, 0) AS deferral,
        coalesce(d.full_match, 0) AS full_match,
        p.eligibility_date <= p.end_day AS is_eligible,
        CASE
            WHEN w.core_enabled AND p.eligibility_date <= p.end_day
                THEN half_up(w.core_bp * m.capped_days, 10000 * y.days)
            ELSE 0
        END AS full_core,
        completed_years(p.birth_date, p.last_day) >= 50 AS has_catch_up,
        y.elective_deferral, y.catch_up, y.annual_additions
    FROM person p
    JOIN pay_days m USING (person)
    LEFT JOIN plan_days d USING (person)
    JOIN world w ON w.world = p.world
    JOIN calendar y ON y.world = p.world AND y.year_index = $year_index
),
limited AS (
    SELECT
        *, elective_deferral + CASE WHEN has_catch_up THEN catch_up ELSE 0 END AS deferral_limit,
        -- 415, of which catch-up is no part: what is over lowers core first, then match
        greatest(0, least(deferral, elective_deferral) + full_match + full_core - annual_additions) AS over_limit
    FROM rounded
)
SELECT
    person, prorated, is_eligible, has_catch_up, deferral_limit,
    least(deferral_limit, deferral) AS contribution,
    greatest(0, full_match - greatest(0, over_limit - full_core)) AS match,
    greatest(0, full_core - over_limit) AS core
FROM limited
