-- 5.10: escalation on the effective day. rate_1_bp is the rate in force from plan_date (0 if nobody enrols), rate_2_bp the
-- rate from escalated_on.
WITH enrolled AS (
    SELECT
        *,
        CASE WHEN is_enrolled THEN enrollment_date ELSE enrolled_on END AS plan_date,
        CASE WHEN is_enrolled THEN rate_bp ELSE coalesce(enrolled_rate_bp, 0) END AS rate_1_bp
    FROM enrollment
),
decided AS (
    SELECT
        e.*, w.escalation_increment_bp, w.escalation_maximum_bp,
        CASE
            WHEN w.escalation_enabled
                AND escalation_day BETWEEN start_day AND end_day
                AND plan_date < escalation_day
                AND NOT has_opted_out AND (opted_out_on IS NULL OR opted_out_on > escalation_day)
                AND anniversary_after(plan_date, w.escalation_delay_years) <= escalation_day
                AND rate_1_bp < w.escalation_maximum_bp
                AND (w.escalation_cutoff IS NULL OR hire_date >= w.escalation_cutoff)
            THEN escalation_day
        END AS escalated_on
    FROM enrolled e
    JOIN world w USING (world)
)
SELECT
    * EXCLUDE (escalation_day),
    CASE
        WHEN escalated_on IS NOT NULL THEN least(escalation_maximum_bp, rate_1_bp + escalation_increment_bp)
        ELSE rate_1_bp
    END AS rate_2_bp
FROM decided
