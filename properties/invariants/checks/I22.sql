-- I22 Opening pay
-- The first year starts from the census pay, bit for bit; in a year pay never falls, and rises by no more than a promotion and a raise.
-- clause census [census]: the pay before the first pay event of the first year = census pay
-- clause never_falls: pay(y) >= opening pay(y)
-- clause bounded [scenario]: pay(y) <= opening pay x (1 + largest increase) x (1 + largest merit + cola), to a cent a step
WITH first_pay AS (
    SELECT world, employee_id, year, arg_min(previous, (day, code)) AS previous
    FROM event
    WHERE event_type IN ('promotion', 'raise')
    GROUP BY ALL
)
SELECT p.world, 'census', p.employee_id, p.year, NULL, coalesce(money(coalesce(f.previous, p.pay)), 'null'), money(m.pay)
FROM person_year p
JOIN member m USING (world, employee_id)
LEFT JOIN first_pay f ON f.world = p.world AND f.employee_id = p.employee_id AND f.year = p.year
WHERE p.is_first_year AND coalesce(f.previous, p.pay) IS DISTINCT FROM m.pay
UNION ALL
SELECT world, 'never_falls', employee_id, year, NULL, money(pay), 'at least ' || money(opening_pay)
FROM person_year
WHERE pay < opening_pay
UNION ALL
SELECT world, 'bounded', employee_id, year, NULL, money(pay), 'at most a promotion and a raise on ' || money(opening_pay)
FROM eligible,
LATERAL (
    SELECT (10000 + coalesce(list_max(promotion_increase_pct), 0))::HUGEINT * (10000 + list_max(merit_rates) + cola_rate) AS factor
) f
WHERE (pay - 2)::HUGEINT * 100000000 > opening_pay * f.factor
