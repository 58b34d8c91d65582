-- I20 Level chain
-- A level changes by a promotion only, one step up and never past the top, and every event shows the level held after it.
-- needs: events.level_id
-- clause one_step: level of a promotion = level before it + 1
-- clause top [scenario]: level of a promotion <= highest level
-- clause explained [state.current_level]: level(y) = level of the year's promotion, else of its start
-- clause on_event: level of an event = the promotion's from that event on, before it the opening one's
-- clause due [scenario]: a promoted person was in the opening set, has a full year of service and is under 65 on that day
SELECT world, 'one_step', employee_id, year, 'promotion', coalesce(promoted_level::VARCHAR, 'null'), opening_level || ' + 1'
FROM person_year
WHERE promoted_on IS NOT NULL AND opening_level IS NOT NULL AND promoted_level IS DISTINCT FROM opening_level + 1
UNION ALL
SELECT p.world, 'top', p.employee_id, p.year, 'promotion', p.promoted_level::VARCHAR, 'at most ' || t.top
FROM person_year p
JOIN (SELECT world, max(level) AS top FROM level GROUP BY world) t USING (world)
WHERE p.promoted_level > t.top
UNION ALL
SELECT world, 'explained', employee_id, year, NULL, coalesce(level::VARCHAR, 'null'), coalesce(promoted_level, opening_level)::VARCHAR
FROM person_year
WHERE coalesce(promoted_level, opening_level) IS NOT NULL AND level IS DISTINCT FROM coalesce(promoted_level, opening_level)
UNION ALL
SELECT e.world, 'on_event', e.employee_id, e.year, e.event_type, coalesce(e.level::VARCHAR, 'null'), x.held::VARCHAR
FROM event e
JOIN person_year p USING (world, employee_id, year),
LATERAL (
    -- on the day of a promotion (code 3), what comes before it in the order of codes still shows the level before
    SELECT CASE WHEN e.day > p.promoted_on OR (e.day = p.promoted_on AND e.code >= 3) THEN p.promoted_level
                ELSE p.opening_level END AS held
) x
WHERE p.opening_level IS NOT NULL AND e.level IS DISTINCT FROM x.held
UNION ALL
SELECT world, 'due', employee_id, year, 'promotion',
       concat_ws(', ', CASE WHEN NOT was_here THEN 'hired in the year' END,
                 'service ' || completed_years(hire_date, promoted_on), 'age ' || completed_years(birth, promoted_on)),
       'in the opening set, service at least 1, age under 65'
FROM eligible
WHERE promoted_on IS NOT NULL
  AND (NOT was_here OR completed_years(hire_date, promoted_on) < 1 OR completed_years(birth, promoted_on) >= 65)
