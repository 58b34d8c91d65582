-- Section 6, fct_workforce_snapshot: one row per person in the opening set or hired in the year, in canonical order.
WITH closed AS (
    SELECT
        *,
        termination_date IS NULL AS is_active,
        -- enrolled at 31 December: not after an exit, nor from the day of an opt-out
        termination_date IS NULL AND is_in_plan AS enrolled_at_end
    FROM person_year
)
SELECT
    world,
    scenario_id, plan_design_id, employee_id, employee_ssn, birth_date,
    year AS simulation_year,
    is_active,
    hire_date, termination_date,
    CASE WHEN is_active THEN 'active' ELSE 'terminated' END AS employment_status,
    CASE
        WHEN is_new_hire AND is_active THEN 'new_hire_active'
        WHEN is_new_hire THEN 'new_hire_termination'
        WHEN is_active THEN 'continuous_active'
        ELSE 'experienced_termination'
    END AS detailed_status_code,
    level_2::INTEGER AS current_level,
    money(pay_3) AS current_salary,
    money(prorated) AS prorated_annual_compensation,
    completed_years(birth_date, end_day) AS current_age,
    completed_years(hire_date, end_day) AS current_tenure,
    is_eligible,
    CASE WHEN is_eligible THEN eligibility_date END AS eligibility_date,
    enrolled_at_end AS is_enrolled,
    rate(CASE WHEN enrolled_at_end THEN rate_2_bp ELSE 0 END) AS deferral_rate,
    coalesce(enrolled_on, enrollment_date) AS enrollment_date,
    has_opted_out OR opted_out_on IS NOT NULL AS has_opted_out,
    money(contribution) AS annual_contribution,
    money(match) AS employer_match_amount,
    money(core) AS employer_core_amount,
    money(balance + contribution + match + core) AS account_balance
FROM closed
ORDER BY person
