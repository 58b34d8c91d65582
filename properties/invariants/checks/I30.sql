-- I30 Event sequence
-- A person's events of a year are numbered 1, 2, .. by date and, on one day, by the fixed order of types.
-- needs: events.event_sequence
-- clause order: event_sequence = position by (date, code of the type)
WITH numbered AS (
    SELECT *, row_number() OVER (PARTITION BY world, scenario_id, plan_design_id, employee_id, year ORDER BY day, code, sequence) AS position
    FROM event
)
SELECT world, 'order', employee_id, year, event_type, coalesce(sequence::VARCHAR, 'null') || ' on ' || day, position::VARCHAR
FROM numbered
WHERE sequence IS DISTINCT FROM position
