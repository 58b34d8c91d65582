-- I06 Nothing after the exit
-- No event of a person, of any family and any year, is dated after the termination.
-- clause after_exit: event date <= termination date
SELECT e.world, 'after_exit', e.employee_id, e.year, e.event_type, e.event_type || ' on ' || e.day, 'not after the exit on ' || t.day
FROM event e
JOIN (SELECT world, employee_id, min(day) AS day FROM event WHERE event_type = 'termination' GROUP BY ALL) t
    USING (world, employee_id)
WHERE e.day > t.day
