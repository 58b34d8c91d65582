-- I40 Ranges
-- All amounts, rates, ages and levels are in range; a hire's pay lies in the band of the level and the age among those of new hires.
-- clause amount: 0 < event amount <= highest pay
-- clause state_amount: 0 <= money columns of state; 0 < pay <= highest pay
-- clause rate: 0 <= rate <= 1
-- clause level [scenario, state.current_level]: 1 <= level <= highest level
-- clause hire_pay [scenario, events.level_id]: minimum <= pay of a hire <= maximum of the level
-- clause hire_age [scenario]: year of birth of a hire = y - one of new_hire_ages
SELECT world, 'amount', employee_id, year, event_type, money(amount), 'above 0, at most ' || money(highest_pay())
FROM event
WHERE amount NOT BETWEEN 1 AND highest_pay() OR previous NOT BETWEEN 1 AND highest_pay()
UNION ALL
SELECT world, 'state_amount', employee_id, year, NULL,
       concat_ws(', ', money(pay), money(prorated), money(contribution), money(match), money(core), money(balance)), 'none below 0, pay above 0'
FROM state
WHERE pay NOT BETWEEN 1 AND highest_pay() OR least(prorated, contribution, match, core, balance) < 0
UNION ALL
SELECT world, 'rate', employee_id, year, NULL, rate(rate), '0 to 1'
FROM state
WHERE rate NOT BETWEEN 0 AND 10000
UNION ALL
SELECT world, 'rate', employee_id, year, event_type, rate(rate) || ' from ' || rate(previous_rate), '0 to 1'
FROM event
WHERE rate NOT BETWEEN 0 AND 10000 OR previous_rate NOT BETWEEN 0 AND 10000
UNION ALL
SELECT s.world, 'level', s.employee_id, s.year, NULL, s.level::VARCHAR, '1 to ' || t.top
FROM state s
JOIN (SELECT world, max(level) AS top FROM level GROUP BY world) t USING (world)
WHERE s.level NOT BETWEEN 1 AND t.top
UNION ALL
SELECT p.world, 'hire_pay', p.employee_id, p.year, 'hire', money(p.hired_pay), money(l.minimum) || ' to ' || money(l.maximum)
FROM person_year p
JOIN level l ON l.world = p.world AND l.level = p.hired_level
WHERE p.hired_pay NOT BETWEEN l.minimum AND l.maximum
UNION ALL
SELECT p.world, 'hire_age', p.employee_id, p.year, 'hire', 'born ' || p.birth, 'an age of new_hire_ages in ' || p.year
FROM person_year p
JOIN scenario w USING (world)
WHERE p.is_new AND NOT list_contains([a.age FOR a IN w.new_hire_ages], p.year - year(p.birth))
