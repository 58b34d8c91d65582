-- 5.9: this year's enrolment (enrolled_on, enrolled_rate_bp, enrollment_source) and opt-out (opted_out_on) of those not
-- enrolled at the start of the year; null where there is none.
WITH offered AS (
    SELECT
        p.person, p.world, p.birth_date, p.end_day,
        income_segment(p.pay) AS income_segment,
        greatest(p.first_day, p.eligibility_date) AS window_start,
        p.last_day,
        w.voluntary_enabled AND p.eligibility_date <= p.last_day AS may_volunteer,
        plus_days(p.eligibility_date, w.auto_window_days) AS auto_due,
        p.first_day,
        w.auto_enabled AND w.auto_rate_bp > 0 AND NOT p.has_opted_out
            AND (w.auto_cutoff IS NULL OR p.hire_date >= w.auto_cutoff)
            AND (w.auto_everyone OR year(p.hire_date) >= w.start_year) AS may_auto,
        w.auto_everyone AND year(p.first_day) = w.start_year AS takes_overdue
    FROM person p
    JOIN world w USING (world)
    WHERE NOT p.is_enrolled
),
-- 5.9, automatic and voluntary: the date each would have
dated AS (
    SELECT
        o.person, o.world, o.birth_date, o.end_day, o.income_segment, o.window_start, o.last_day, o.may_volunteer,
        CASE
            WHEN NOT may_auto THEN NULL
            WHEN auto_due BETWEEN first_day AND last_day THEN auto_due
            WHEN auto_due < first_day AND takes_overdue THEN first_day
        END AS auto_date,
        age_segment(completed_years(birth_date, window_start)) AS window_segment,
        -- the window is empty, and the divisor kept above 0, only for those who may not volunteer
        plus_days(
            window_start, draw_below(d.voluntary_day_draw, greatest(1, last_day - window_start + 1))
        ) AS volunteers_on
    FROM offered o
    JOIN draws d USING (person)
),
-- an enrolment after the termination is dropped; the earlier of those that remain wins, a tie is voluntary
kept AS (
    SELECT
        k.person, k.world, k.birth_date, k.end_day, k.income_segment, d.opt_out_draw, d.opt_out_day_draw,
        CASE WHEN k.auto_date <= k.end_day THEN k.auto_date END AS auto_date,
        CASE
            WHEN k.may_volunteer AND k.volunteers_on <= k.end_day AND chance(
                d.voluntary_draw,
                segment_ppm(w.voluntary_by_age[k.window_segment], w.voluntary_by_income[k.income_segment])
            )
            THEN k.volunteers_on
        END AS voluntary_date,
        w.voluntary_minimum[k.window_segment] + draw_below(
            d.voluntary_rate_draw, w.voluntary_maximum[k.window_segment] - w.voluntary_minimum[k.window_segment] + 1
        ) AS voluntary_rate_bp
    FROM dated k
    JOIN draws d USING (person)
    JOIN world w USING (world)
),
chosen AS (
    SELECT
        person, world, birth_date, end_day, income_segment, opt_out_draw, opt_out_day_draw, voluntary_rate_bp,
        coalesce(auto_date < voluntary_date, auto_date IS NOT NULL) AS is_auto,
        least(auto_date, voluntary_date) AS enrolled_on  -- least passes over nulls
    FROM kept
    WHERE auto_date IS NOT NULL OR voluntary_date IS NOT NULL
)
SELECT
    c.person, c.enrolled_on,
    CASE WHEN is_auto THEN 'auto' ELSE 'voluntary' END AS enrollment_source,
    CASE WHEN is_auto THEN w.auto_rate_bp ELSE c.voluntary_rate_bp END AS enrolled_rate_bp,
    CASE
        WHEN is_auto AND chance(
            opt_out_draw,
            segment_ppm(
                w.opt_out_by_age[age_segment(completed_years(c.birth_date, c.enrolled_on))],
                w.opt_out_by_income[c.income_segment]
            )
        )
        THEN least(plus_days(c.enrolled_on, 1 + draw_below(opt_out_day_draw, w.opt_out_grace_days)), c.end_day)
    END AS opted_out_on
FROM chosen c
JOIN world w USING (world)
