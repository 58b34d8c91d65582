-- I08 Keys of events
-- An event_id names one event, and a person has at most one event of a type in a year.
-- clause event_id [events.event_id]: event_id unique
-- clause uuid [events.event_id]: event_id is a UUID of version 8, in lower case
-- clause natural_key: events of a person, year and type <= 1
-- clause same_event: events of a person, type, date and amount <= 1
SELECT world, 'event_id', min(employee_id), min(year), min(event_type), count(*) || ' events named ' || coalesce(event_id, 'null'), '1'
FROM event
GROUP BY world, event_id
HAVING count(*) > 1 OR event_id IS NULL
UNION ALL
SELECT world, 'uuid', employee_id, year, event_type, event_id, 'xxxxxxxx-xxxx-8xxx-[89ab]xxx-xxxxxxxxxxxx, x a lower-case hexadecimal digit'
FROM event
WHERE NOT regexp_full_match(event_id, '[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}')
UNION ALL
SELECT world, 'natural_key', employee_id, year, event_type, count(*) || ' events', '1'
FROM event
GROUP BY world, scenario_id, plan_design_id, employee_id, year, event_type
HAVING count(*) > 1
UNION ALL
SELECT world, 'same_event', employee_id, min(year), event_type, count(*) || ' on ' || day, '1'
FROM event
GROUP BY world, scenario_id, plan_design_id, employee_id, event_type, day, amount
HAVING count(*) > 1
