-- I29 Status codes
-- The four codes partition the state: new_hire_ for those hired in the year, _termination for those with an exit in it.
-- clause code [state.detailed_status_code]: detailed code = hired in y?, exit in y?
-- clause status [state.employment_status]: employment_status = terminated <=> exit in y
-- clause active: is_active <=> no exit in y
-- clause date [state.termination_date]: termination date = day of the year's exit, else null
WITH stated AS (
    SELECT
        *,
        CASE WHEN is_new AND exit_on IS NULL THEN 'new_hire_active'
             WHEN is_new THEN 'new_hire_termination'
             WHEN exit_on IS NULL THEN 'continuous_active'
             ELSE 'experienced_termination' END AS code
    FROM person_year
)
SELECT world, v.clause, employee_id, year, NULL, coalesce(v.found, 'null'), coalesce(v.expected, 'null')
FROM stated,
LATERAL (VALUES
    ('code', detail, code),
    ('status', status, CASE WHEN exit_on IS NULL THEN 'active' ELSE 'terminated' END),
    ('active', is_active::VARCHAR, (exit_on IS NULL)::VARCHAR),
    ('date', termination_date::VARCHAR, exit_on::VARCHAR)
) v(clause, found, expected)
WHERE v.found IS DISTINCT FROM v.expected
