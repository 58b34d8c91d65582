-- person_year with the scenario beside it and the eligibility date of 5.8 recomputed.
CREATE OR REPLACE TEMP TABLE eligible AS
SELECT
    p.*,
    w.* EXCLUDE (world) REPLACE (
        -- days are added to dates as INTEGER
        w.start_year::INTEGER AS start_year,
        w.auto_enrollment_window_days::INTEGER AS auto_enrollment_window_days,
        w.auto_enrollment_opt_out_grace_period::INTEGER AS auto_enrollment_opt_out_grace_period,
        w.eligibility_waiting_period_days::INTEGER AS eligibility_waiting_period_days
    ),
    greatest(anniversary(p.birth, year(p.birth) + w.eligibility_minimum_age),
             (p.hire_date + w.eligibility_waiting_period_days::INTEGER)::DATE) AS eligibility
FROM person_year p
JOIN scenario w USING (world);
