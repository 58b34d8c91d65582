-- One row per state row: the state at the end of the year, the state at its start (opening_...), and the year's events side by side.
CREATE OR REPLACE TEMP TABLE person_year AS
WITH yearly AS (
    SELECT
        world, employee_id, year,
        min(day) FILTER (event_type = 'hire') AS hired_on,
        min(amount) FILTER (event_type = 'hire') AS hired_pay,
        min(level) FILTER (event_type = 'hire') AS hired_level,
        min(day) FILTER (event_type = 'eligibility') AS eligible_on,
        min(day) FILTER (event_type = 'promotion') AS promoted_on,
        min(amount) FILTER (event_type = 'promotion') AS promoted_pay,
        min(previous) FILTER (event_type = 'promotion') AS promoted_previous,
        min(level) FILTER (event_type = 'promotion') AS promoted_level,
        min(day) FILTER (event_type = 'raise') AS raised_on,
        min(amount) FILTER (event_type = 'raise') AS raised_pay,
        min(previous) FILTER (event_type = 'raise') AS raised_previous,
        min(day) FILTER (event_type = 'enrollment') AS enrolled_on,
        min(rate) FILTER (event_type = 'enrollment') AS enrolled_rate,
        min(payload) FILTER (event_type = 'enrollment') AS enrolled_payload,
        min(day) FILTER (event_type = 'deferral_escalation') AS escalated_on,
        min(rate) FILTER (event_type = 'deferral_escalation') AS escalated_rate,
        min(previous_rate) FILTER (event_type = 'deferral_escalation') AS escalated_previous,
        min(day) FILTER (event_type = 'enrollment_change') AS opted_out_on,
        min(previous_rate) FILTER (event_type = 'enrollment_change') AS opted_out_previous,
        min(amount) FILTER (event_type = 'contribution') AS contributed,
        min(amount) FILTER (event_type = 'employer_match') AS matched,
        min(amount) FILTER (event_type = 'employer_core') AS cored,
        min(day) FILTER (event_type = 'termination') AS exit_on,
        min(amount) FILTER (event_type = 'termination') AS exit_pay
    FROM event
    GROUP BY ALL
)
SELECT
    s.*,
    y.is_first_year, y.year_first, y.year_last, y.days,
    v.* EXCLUDE (world, employee_id, year),
    o.employee_id IS NOT NULL AS was_here,
    v.hired_on IS NOT NULL AS is_new,
    coalesce(o.from_census, false) AS from_census,
    CASE WHEN v.hired_on IS NOT NULL THEN v.hired_level ELSE o.level END AS opening_level,
    CASE WHEN v.hired_on IS NOT NULL THEN v.hired_pay ELSE o.pay END AS opening_pay,
    CASE WHEN v.hired_on IS NOT NULL THEN false ELSE o.is_enrolled END AS opening_enrolled,
    CASE WHEN v.hired_on IS NOT NULL THEN 0 ELSE o.rate END AS opening_rate,
    CASE WHEN v.hired_on IS NOT NULL THEN NULL ELSE o.enrollment_date END AS opening_enrollment_date,
    CASE WHEN v.hired_on IS NOT NULL THEN false ELSE o.has_opted_out END AS opening_opted_out,
    CASE WHEN v.hired_on IS NOT NULL THEN 0 ELSE o.balance END AS opening_balance,
    o.is_eligible AS opening_eligible,
    o.tenure AS opening_tenure,
    greatest(y.year_first, s.hire_date) AS window_first,
    least(y.year_last, v.exit_on) AS window_last,
    CASE WHEN payload_value(v.enrolled_payload, 'source') = 'auto' THEN true WHEN v.enrolled_on IS NOT NULL THEN false END
        AS enrolled_automatically
FROM state s
JOIN simulated y USING (world, year)
LEFT JOIN opening o USING (world, employee_id, year)
LEFT JOIN yearly v USING (world, employee_id, year);
