-- I28 Closed lists
-- Event types are those of section 6, each with its payload and its columns; every event finds its state row.
-- clause event_type: one of the eleven
-- clause joins: every event has a state row of its person and year
-- clause columns: amounts and rates are filled exactly where section 6 says so for the type
-- clause payload [events.event_payload, scenario]: the payload is the JSON that section 6 gives for the type, with the scenario's values
WITH filled AS (
    SELECT
        *,
        amount IS NOT NULL AS has_amount, previous IS NOT NULL AS has_previous,
        rate IS NOT NULL AS has_rate, previous_rate IS NOT NULL AS has_previous_rate
    FROM event
),
stated AS (
    SELECT
        e.world, e.employee_id, e.year, e.event_type, e.payload,
        CASE e.event_type
            WHEN 'hire' THEN '{"annual_compensation":' || money(e.amount) || ',"birth_date":"' || p.birth || '","hire_number":'
                || coalesce(try_cast(right(e.employee_id, 6) AS INTEGER)::VARCHAR, '?') || '}'
            WHEN 'eligibility' THEN '{"minimum_age":' || p.eligibility_minimum_age || ',"waiting_period_days":'
                || p.eligibility_waiting_period_days || '}'
            WHEN 'promotion' THEN '{"from_level":' || p.opening_level || ',"hazard_ppm":' || least(1000000,
                (p.promotion_base_hazard * 100
                    * p.promotion_tenure_multipliers[tenure_band(completed_years(p.hire_date, e.day))]
                    * p.promotion_age_multipliers[age_band(completed_years(p.birth, e.day))]::HUGEINT // 100000000)
                * greatest(0, 10000 - p.promotion_level_dampener * (p.opening_level - 1)) // 10000)
                || ',"to_level":' || (p.opening_level + 1) || '}'
            WHEN 'raise' THEN '{"cola_rate":' || rate(p.cola_rate) || ',"merit_rate":' || rate(p.merit_rates[e.level]) || '}'
            WHEN 'enrollment' THEN CASE WHEN e.payload = '{"source":"auto"}' THEN e.payload ELSE '{"source":"voluntary"}' END
            WHEN 'deferral_escalation' THEN '{"increment_amount":' || rate(p.deferral_auto_escalation_increment_amount)
                || ',"maximum_rate":' || rate(p.deferral_auto_escalation_maximum_rate) || '}'
            WHEN 'enrollment_change' THEN '{"reason":"opt_out"}'
            WHEN 'contribution' THEN '{"catch_up":' || (completed_years(p.birth, p.year_last) >= 50)::VARCHAR || ',"limit":'
                || money(l.elective_deferral + CASE WHEN completed_years(p.birth, p.year_last) >= 50 THEN l.catch_up ELSE 0 END) || '}'
            WHEN 'employer_match' THEN '{"compensation_limit":' || money(l.compensation) || '}'
            WHEN 'employer_core' THEN '{"compensation_limit":' || money(l.compensation) || ',"contribution_rate":'
                || rate(p.employer_core_contribution_rate) || '}'
            WHEN 'termination' THEN '{"reason":"' || CASE WHEN p.is_new THEN 'new_hire' ELSE 'experienced' END || '"}'
        END AS expected
    FROM event e
    JOIN eligible p USING (world, employee_id, year)
    JOIN limit_row l USING (world, year)
    WHERE p.opening_level IS NOT NULL
)
SELECT world, 'event_type', employee_id, year, event_type, coalesce(event_type, 'null'), 'one of the eleven of section 6'
FROM event
WHERE code IS NULL
UNION ALL
SELECT e.world, 'joins', e.employee_id, e.year, e.event_type, 'no state row in ' || e.year, '1'
FROM event e
ANTI JOIN state s ON s.world = e.world AND s.employee_id = e.employee_id AND s.year = e.year
UNION ALL
SELECT world, 'columns', employee_id, year, event_type,
       concat_ws(', ', CASE WHEN has_amount THEN 'amount' END, CASE WHEN has_previous THEN 'previous' END,
                 CASE WHEN has_rate THEN 'rate' END, CASE WHEN has_previous_rate THEN 'previous rate' END) || ' filled',
       'as section 6 says for ' || event_type
FROM filled
WHERE has_amount <> (event_type IN ('hire', 'promotion', 'raise', 'contribution', 'employer_match', 'employer_core', 'termination'))
   OR has_previous <> (event_type IN ('promotion', 'raise'))
   OR has_rate <> (event_type IN ('enrollment', 'deferral_escalation', 'enrollment_change'))
   OR has_previous_rate <> (event_type IN ('enrollment', 'deferral_escalation', 'enrollment_change'))
UNION ALL
SELECT world, 'payload', employee_id, year, event_type, coalesce(payload, 'null'), coalesce(expected, 'none')
FROM stated
WHERE payload IS DISTINCT FROM expected
