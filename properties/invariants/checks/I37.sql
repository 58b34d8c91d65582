-- I37 Parts and wholes
-- Totals of the two tables agree, and the parts add up to the whole.
-- clause money: a year's total of contribution, match and core events = total of the state columns
-- clause people: hires, exits and active people counted in the events = counted in the state
-- clause balance [state.account_balance]: balance(y) = balance(y-1) + contribution + match + core of y
-- clause planned [proof]: hires, exits and new-hire exits that the proof says were planned = the events of the whole run
WITH event_total AS (
    SELECT
        world, year,
        sum(amount) FILTER (event_type = 'contribution') AS contribution,
        sum(amount) FILTER (event_type = 'employer_match') AS match,
        sum(amount) FILTER (event_type = 'employer_core') AS core,
        count(*) FILTER (event_type = 'hire') AS hires,
        count(*) FILTER (event_type = 'termination') AS exits
    FROM event
    GROUP BY ALL
),
state_total AS (
    SELECT
        world, year, sum(contribution) AS contribution, sum(match) AS match, sum(core) AS core,
        count(*) FILTER (detail LIKE 'new_hire%') AS hires, count(*) FILTER (NOT is_active) AS exits
    FROM state
    GROUP BY ALL
)
SELECT s.world, CASE WHEN v.name IN ('hires', 'exits') THEN 'people' ELSE 'money' END, NULL, s.year, NULL,
       v.name || ' in the state ' || coalesce(v.in_state, 0), 'in the events ' || coalesce(v.in_events, 0)
FROM state_total s
LEFT JOIN event_total e USING (world, year),
LATERAL (VALUES
    ('contribution', s.contribution, e.contribution), ('match', s.match, e.match), ('core', s.core, e.core),
    ('hires', s.hires, e.hires), ('exits', s.exits, e.exits)
) v(name, in_state, in_events)
WHERE coalesce(v.in_state, 0) <> coalesce(v.in_events, 0)
UNION ALL
SELECT world, 'balance', employee_id, year, NULL, coalesce(money(balance), 'null'),
       money(opening_balance) || ' + ' || money(contribution) || ' + ' || money(match) || ' + ' || money(core)
FROM person_year
WHERE opening_balance IS NOT NULL AND balance IS DISTINCT FROM opening_balance + contribution + match + core
UNION ALL
SELECT 0, 'planned', NULL, NULL, v.name, v.planned || ' planned', v.done || ' events in the run'
FROM proof_in p,
LATERAL (VALUES
    ('hires', p.hires, (SELECT count(*) FROM event WHERE event_type = 'hire')),
    ('exits', p.exits, (SELECT count(*) FROM event WHERE event_type = 'termination' AND payload_value(payload, 'reason') = 'experienced')),
    ('new_hire_exits', p.new_hire_exits,
     (SELECT count(*) FROM event WHERE event_type = 'termination' AND payload_value(payload, 'reason') = 'new_hire'))
) v(name, planned, done)
WHERE v.planned <> v.done
