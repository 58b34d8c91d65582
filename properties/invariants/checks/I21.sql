-- I21 Prorated pay
-- The year's pay is the pay of each stretch of days times its days, over the days of the year, both ends of the employed window included.
-- needs: state.prorated_annual_compensation
-- clause prorated: prorated = half_up(sum of pay x days / D)
-- clause between: prorated D / days lies between the least and the largest pay of the year, to half a cent
WITH summed AS (
    SELECT world, employee_id, year, sum(pay::HUGEINT * days) AS pay_days, sum(days) AS days, min(pay) AS least_pay, max(pay) AS largest_pay
    FROM segment
    GROUP BY ALL
),
judged AS (
    SELECT p.*, s.pay_days, s.days AS counted, s.least_pay, s.largest_pay
    FROM person_year p
    JOIN summed s USING (world, employee_id, year)
    WHERE p.opening_pay IS NOT NULL
)
SELECT world, 'prorated', employee_id, year, NULL, coalesce(money(prorated), 'null'),
       money(half_up(pay_days, days)) || ' = ' || pay_days || ' cent days / ' || days
FROM judged
WHERE prorated IS DISTINCT FROM half_up(pay_days, days)
UNION ALL
SELECT world, 'between', employee_id, year, NULL, money(prorated) || ' in ' || counted || ' days',
       'a year of ' || money(least_pay) || ' to ' || money(largest_pay)
FROM judged
WHERE 2 * prorated::HUGEINT * days NOT BETWEEN 2 * least_pay::HUGEINT * counted - days AND 2 * largest_pay::HUGEINT * counted + days
