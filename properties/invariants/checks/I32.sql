-- I32 Switches and certainties
-- What is switched off or has probability 0 does not happen on any path; what is certain happens to everybody due and employed.
-- needs: scenario
-- clause raise: a raise <=> employed on 15 July with a full year of service, and merit + cola > 0
-- clause automatic_off [events.event_payload]: switched off or default rate 0 => no automatic enrolment
-- clause automatic_out_of_scope [events.event_payload]: an automatic enrolment => in scope, hired on or after the cutoff, on its due day
-- clause automatic_due [census, state.is_enrolled, state.has_opted_out, events.event_payload]: due and still employed => enrolled by then
-- clause voluntary_off [events.event_payload]: switched off or probability 0 => no voluntary enrolment
-- clause voluntary_certain [census, state.is_enrolled, events.event_payload]: probability 1 => enrolled in the year, unless the exit comes first
-- clause opt_out_off [events.event_payload]: probability 0 => no opt-out
-- clause opt_out_certain [events.event_payload]: probability 1 => every automatic enrolment is followed by an opt-out
-- clause promotion_off [events.level_id]: hazard 0 => no promotion
-- clause promotion_certain [census, state.current_level, events.level_id]: hazard 1 => everybody due is promoted
-- clause money_off: match or core switched off => no such event
WITH due AS (
    SELECT
        *,
        coalesce(exit_on, make_date(9999, 12, 31)) AS leaves,
        completed_years(hire_date, make_date(year, 7, 15)) AS service_in_july,
        completed_years(hire_date, make_date(year, 2, 1)) AS service_in_february,
        completed_years(birth, make_date(year, 2, 1)) AS age_in_february,
        (eligibility + auto_enrollment_window_days)::DATE AS automatic_on,
        greatest(year_first, eligibility) AS voluntary_from,
        merit_rates[coalesce(promoted_level, opening_level)] + cola_rate AS raise_rate,
        hire_date >= make_date(start_year, 1, 1) AS simulated_hire
    FROM eligible
),
automatic AS (
    SELECT
        *,
        CASE WHEN automatic_on BETWEEN year_first AND year_last THEN automatic_on
             WHEN automatic_on < make_date(start_year, 1, 1) AND is_first_year
                  AND auto_enrollment_scope = 'all_eligible_employees' THEN year_first END AS due_on,
        auto_enrollment_enabled AND auto_enrollment_default_deferral_rate > 0
            AND coalesce(hire_date >= auto_enrollment_hire_date_cutoff, true)
            AND (auto_enrollment_scope = 'all_eligible_employees' OR simulated_hire) AS in_scope,
        least(1000000, voluntary_enrollment_probability_by_age[age_segment(completed_years(birth, voluntary_from))] * 100
            * voluntary_enrollment_probability_by_income[income_segment(opening_pay)] // 10000) AS voluntary_ppm,
        least(1000000, auto_enrollment_opt_out_by_age[age_segment(completed_years(birth, enrolled_on))] * 100
            * auto_enrollment_opt_out_by_income[income_segment(opening_pay)] // 10000) AS opt_out_ppm,
        least(1000000,
            (promotion_base_hazard * 100 * promotion_tenure_multipliers[tenure_band(service_in_february)]
                * promotion_age_multipliers[age_band(age_in_february)]::HUGEINT // 100000000)
            * greatest(0, 10000 - promotion_level_dampener * (opening_level - 1)) // 10000) AS hazard_ppm
    FROM due
)
SELECT world, 'raise', employee_id, year, 'raise', CASE WHEN raised_on IS NULL THEN 'no raise' ELSE 'a raise' END,
       'employed ' || hire_date || ' to ' || CASE WHEN exit_on IS NULL THEN 'the end' ELSE exit_on::VARCHAR END
       || ', service ' || service_in_july || ', merit + cola ' || rate(raise_rate)
FROM automatic
WHERE (raised_on IS NOT NULL) <> (make_date(year, 7, 15) BETWEEN hire_date AND leaves AND service_in_july >= 1 AND raise_rate > 0)
UNION ALL
SELECT world, 'automatic_off', employee_id, year, 'enrollment', 'automatic enrolment', 'none: switched off, or default rate 0'
FROM automatic
WHERE enrolled_automatically AND NOT (auto_enrollment_enabled AND auto_enrollment_default_deferral_rate > 0)
UNION ALL
SELECT world, 'automatic_out_of_scope', employee_id, year, 'enrollment', 'on ' || enrolled_on || ', hired ' || hire_date,
       coalesce('on ' || due_on, 'not due in the year') || CASE WHEN in_scope THEN '' ELSE ', out of scope or before the cutoff' END
FROM automatic
WHERE enrolled_automatically AND (NOT in_scope OR enrolled_on IS DISTINCT FROM due_on)
UNION ALL
SELECT world, 'automatic_due', employee_id, year, 'enrollment', coalesce('enrolled on ' || enrolled_on, 'not enrolled'),
       'enrolled by ' || due_on || ': hired ' || hire_date || ', eligible ' || eligibility
FROM automatic
WHERE in_scope AND due_on <= leaves AND NOT opening_enrolled AND NOT opening_opted_out
  AND (enrolled_on <= due_on) IS DISTINCT FROM true
UNION ALL
SELECT world, 'voluntary_off', employee_id, year, 'enrollment', 'voluntary enrolment', 'none: switched off, or probability 0'
FROM automatic
WHERE NOT enrolled_automatically AND (NOT voluntary_enrollment_enabled OR voluntary_ppm = 0)
UNION ALL
SELECT world, 'voluntary_certain', employee_id, year, 'enrollment', 'not enrolled', 'enrolled from ' || voluntary_from || ' on'
FROM automatic
WHERE voluntary_enrollment_enabled AND voluntary_ppm = 1000000 AND eligibility <= year_last AND NOT opening_enrolled
  AND exit_on IS NULL AND enrolled_on IS NULL
UNION ALL
SELECT world, 'opt_out_off', employee_id, year, 'enrollment_change', 'opt-out', 'none: probability 0'
FROM automatic
WHERE opted_out_on IS NOT NULL AND enrolled_automatically AND opt_out_ppm = 0
UNION ALL
SELECT world, 'opt_out_certain', employee_id, year, 'enrollment_change', 'no opt-out', 'an opt-out: probability 1'
FROM automatic
WHERE opted_out_on IS NULL AND enrolled_automatically AND opt_out_ppm = 1000000
UNION ALL
SELECT world, 'promotion_off', employee_id, year, 'promotion', 'promotion', 'none: hazard 0'
FROM automatic
WHERE promoted_on IS NOT NULL AND hazard_ppm = 0
UNION ALL
SELECT world, 'promotion_certain', employee_id, year, 'promotion', 'no promotion', 'promotion: hazard 1'
FROM automatic
WHERE promoted_on IS NULL AND hazard_ppm = 1000000 AND was_here AND leaves >= make_date(year, 2, 1) AND service_in_february >= 1
  AND age_in_february < 65 AND opening_level < len(levels)
UNION ALL
SELECT e.world, 'money_off', e.employee_id, e.year, e.event_type, money(e.amount), 'none: switched off'
FROM event e
JOIN scenario w USING (world)
WHERE (e.event_type = 'employer_match' AND NOT w.employer_match_enabled)
   OR (e.event_type = 'employer_core' AND NOT w.employer_core_enabled)
