-- 5.9: this year's enrolment (enrolled_on, enrolled_rate_bp, enrollment_source) and opt-out (opted_out_on), null if none.
WITH due AS (
    SELECT
        c.*,
        plus_days(eligibility_date, w.auto_window_days) AS auto_due,
        NOT is_enrolled AND w.auto_enabled AND w.auto_rate_bp > 0 AND NOT has_opted_out
            AND (w.auto_cutoff IS NULL OR hire_date >= w.auto_cutoff)
            AND (w.auto_everyone OR year(hire_date) >= w.start_year) AS may_auto,
        w.auto_everyone AND year_index = 0 AS takes_overdue,
        NOT is_enrolled AND w.voluntary_enabled AND eligibility_date <= last_day AS may_volunteer,
        greatest(first_day, eligibility_date) AS window_start,
        w.auto_rate_bp, w.voluntary_by_age, w.voluntary_by_income, w.voluntary_minimum, w.voluntary_maximum,
        w.opt_out_by_age, w.opt_out_by_income, w.opt_out_grace_days
    FROM career c
    JOIN world w USING (world)
),
segmented AS (
    SELECT
        *,
        age_segment(completed_years(birth_date, window_start)) AS window_age_segment,
        income_segment(pay_1) AS income_segment,
        CASE
            WHEN NOT may_auto THEN NULL
            WHEN auto_due BETWEEN first_day AND last_day THEN auto_due
            WHEN auto_due < first_day AND takes_overdue THEN first_day
        END AS auto_date
    FROM due
),
offered AS (
    SELECT
        * REPLACE (CASE WHEN auto_date <= end_day THEN auto_date END AS auto_date),
        CASE
            WHEN may_volunteer AND chance(
                voluntary_draw, segment_ppm(voluntary_by_age[window_age_segment], voluntary_by_income[income_segment])
            )
            -- the window is empty, and the divisor kept above 0, only for those who may not volunteer
            THEN plus_days(
                window_start, draw_below(voluntary_day_draw, greatest(1, last_day - window_start + 1))
            )
        END AS voluntary_date,
        voluntary_minimum[window_age_segment] AS lowest_bp,
        voluntary_maximum[window_age_segment] AS highest_bp
    FROM segmented
),
kept AS (
    SELECT * REPLACE (CASE WHEN voluntary_date <= end_day THEN voluntary_date END AS voluntary_date) FROM offered
),
chosen AS (
    SELECT
        *,
        least(auto_date, voluntary_date) AS enrolled_on,  -- least passes over nulls: the one that remains
        CASE
            WHEN voluntary_date <= coalesce(auto_date, voluntary_date) THEN 'voluntary'
            WHEN auto_date IS NOT NULL THEN 'auto'
        END AS enrollment_source
    FROM kept
),
reconsidered AS (
    SELECT
        *,
        CASE enrollment_source
            WHEN 'voluntary' THEN lowest_bp + draw_below(voluntary_rate_draw, highest_bp - lowest_bp + 1)
            WHEN 'auto' THEN auto_rate_bp
        END AS enrolled_rate_bp,
        age_segment(completed_years(birth_date, enrolled_on)) AS enrolled_age_segment
    FROM chosen
)
SELECT
    * EXCLUDE (
        opt_out_draw, opt_out_day_draw, voluntary_draw, voluntary_day_draw, voluntary_rate_draw, auto_due, may_auto,
        takes_overdue, may_volunteer, window_start, auto_rate_bp, voluntary_by_age, voluntary_by_income, voluntary_minimum,
        voluntary_maximum, opt_out_by_age, opt_out_by_income, opt_out_grace_days, window_age_segment, income_segment,
        auto_date, voluntary_date, lowest_bp, highest_bp, enrolled_age_segment
    ),
    CASE
        WHEN enrollment_source = 'auto'
            AND chance(opt_out_draw, segment_ppm(opt_out_by_age[enrolled_age_segment], opt_out_by_income[income_segment]))
        THEN least(plus_days(enrolled_on, 1 + draw_below(opt_out_day_draw, opt_out_grace_days)), end_day)
    END AS opted_out_on
FROM reconsidered
