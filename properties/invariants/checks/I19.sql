-- I19 Pay chain
-- Each pay event starts from the pay before it and ends at the stated amount; the year's state keeps the last.
-- clause previous: previous pay of a promotion or raise = amount of the pay event before it in the year, else the opening pay
-- clause closing: pay(y) = amount of the year's last pay event, else the opening pay
-- clause promotion_step [scenario, events.level_id]: new pay = min(half_up(pay (1 + increase)), half_up(pay (1 + cap)), pay + cap amount, highest pay)
-- clause raise_step [scenario, events.level_id]: new pay = min(highest pay, half_up(pay (10 000 + merit of the level + cola) / 10 000))
-- clause exit_pay: amount of a termination = pay on that day
WITH pay_event AS (
    SELECT
        e.world, e.employee_id, e.year, e.event_type, e.day, e.code, e.amount, e.previous, e.level, p.opening_pay,
        lag(e.amount) OVER (PARTITION BY e.world, e.employee_id, e.year ORDER BY e.day, e.code) AS before
    FROM event e
    JOIN person_year p USING (world, employee_id, year)
    WHERE e.event_type IN ('hire', 'promotion', 'raise', 'termination')
),
step AS (
    SELECT
        e.*,
        CASE WHEN e.event_type = 'promotion'
             THEN least(half_up(e.previous * (10000 + below.increase), 10000),
                        half_up(e.previous * (10000 + w.promotion_max_cap_pct), 10000),
                        e.previous + w.promotion_max_cap_amount,
                        highest_pay())
             ELSE least(highest_pay(), half_up(e.previous * (10000 + here.merit + w.cola_rate), 10000)) END AS stated
    FROM pay_event e
    JOIN scenario w USING (world)
    LEFT JOIN level below ON below.world = e.world AND below.level = e.level - 1
    LEFT JOIN level here ON here.world = e.world AND here.level = e.level
    WHERE e.event_type IN ('promotion', 'raise')
),
closing AS (
    SELECT world, employee_id, year, arg_max(amount, (day, code)) AS amount
    FROM pay_event WHERE event_type <> 'termination' GROUP BY ALL
)
SELECT world, 'previous', employee_id, year, event_type, coalesce(money(previous), 'null'), coalesce(money(coalesce(before, opening_pay)), 'null')
FROM pay_event
WHERE event_type IN ('promotion', 'raise') AND coalesce(before, opening_pay) IS NOT NULL
  AND previous IS DISTINCT FROM coalesce(before, opening_pay)
UNION ALL
SELECT p.world, 'closing', p.employee_id, p.year, NULL, coalesce(money(p.pay), 'null'), money(coalesce(c.amount, p.opening_pay))
FROM person_year p
LEFT JOIN closing c USING (world, employee_id, year)
WHERE coalesce(c.amount, p.opening_pay) IS NOT NULL AND p.pay IS DISTINCT FROM coalesce(c.amount, p.opening_pay)
UNION ALL
SELECT world, event_type || '_step', employee_id, year, event_type, coalesce(money(amount), 'null') || ' from ' || coalesce(money(previous), 'null'),
       coalesce(money(stated), 'a level that has this step')
FROM step
WHERE amount IS DISTINCT FROM stated
UNION ALL
SELECT world, 'exit_pay', employee_id, year, event_type, coalesce(money(amount), 'null'), money(coalesce(before, opening_pay))
FROM pay_event
WHERE event_type = 'termination' AND coalesce(before, opening_pay) IS NOT NULL
  AND amount IS DISTINCT FROM coalesce(before, opening_pay)
