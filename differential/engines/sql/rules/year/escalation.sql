-- 5.10: escalation on the effective day, of everyone in the plan this year. rate_1_bp is the rate in force from plan_date,
-- rate_2_bp the rate from escalated_on (the same if null).
WITH enrolled AS (
    SELECT
        p.person, p.world, p.hire_date, p.start_day, p.end_day, p.has_opted_out,
        CASE WHEN p.is_enrolled THEN p.enrollment_date ELSE e.enrolled_on END AS plan_date,
        CASE WHEN p.is_enrolled THEN p.rate_bp ELSE e.enrolled_rate_bp END AS rate_1_bp,
        e.enrolled_on, e.enrollment_source, e.enrolled_rate_bp, e.opted_out_on
    FROM person p
    LEFT JOIN enrollment e USING (person)
    WHERE p.is_enrolled OR e.enrolled_on IS NOT NULL
),
decided AS (
    SELECT
        person, plan_date, rate_1_bp, enrolled_on, enrollment_source, enrolled_rate_bp, opted_out_on,
        w.escalation_increment_bp, w.escalation_maximum_bp,
        CASE
            WHEN w.escalation_enabled
                AND y.escalation_day BETWEEN e.start_day AND e.end_day
                AND e.plan_date < y.escalation_day
                AND NOT e.has_opted_out AND (e.opted_out_on IS NULL OR e.opted_out_on > y.escalation_day)
                AND anniversary_after(e.plan_date, w.escalation_delay_years) <= y.escalation_day
                AND e.rate_1_bp < w.escalation_maximum_bp
                AND (w.escalation_cutoff IS NULL OR e.hire_date >= w.escalation_cutoff)
            THEN y.escalation_day
        END AS escalated_on
    FROM enrolled e
    JOIN world w USING (world)
    JOIN calendar y ON y.world = e.world AND y.year_index = $year_index
)
SELECT
    *,
    CASE
        WHEN escalated_on IS NOT NULL THEN least(escalation_maximum_bp, rate_1_bp + escalation_increment_bp)
        ELSE rate_1_bp
    END AS rate_2_bp
FROM decided
