-- I15 Participation
-- Enrolled people have a rate above 0, others have none, and only active people are enrolled.
-- needs: state.is_enrolled
-- clause rate [state.deferral_rate]: enrolled <=> rate > 0
-- clause active: enrolled => active
SELECT world, 'rate', employee_id, year, NULL, 'enrolled ' || coalesce(is_enrolled::VARCHAR, 'null') || ', rate ' || coalesce(rate(rate), 'null'),
       'rate above 0 exactly if enrolled'
FROM state
WHERE is_enrolled IS DISTINCT FROM (rate > 0)
UNION ALL
SELECT world, 'active', employee_id, year, NULL, 'enrolled and not active', 'not enrolled after the exit'
FROM state
WHERE is_enrolled AND NOT is_active
