-- I23 Contribution
-- A year's contribution is the rate times the pay of the enrolled days, up to the limit; it is an event exactly if there is any.
-- needs: scenario, census, state.annual_contribution
-- clause amount: contribution = min(limit, half_up(sum of pay x rate x days / (10 000 D)))
-- clause event: there is an event of this amount <=> contribution > 0
-- clause within_pay: contribution <= prorated pay
WITH summed AS (
    SELECT world, employee_id, year, sum(pay::HUGEINT * rate * days) AS deferred
    FROM segment
    GROUP BY ALL
),
stated AS (
    SELECT
        p.*,
        least(half_up(s.deferred, 10000 * p.days),
              l.elective_deferral + CASE WHEN completed_years(p.birth, p.year_last) >= 50 THEN l.catch_up ELSE 0 END) AS amount,
        s.deferred
    FROM eligible p
    JOIN summed s USING (world, employee_id, year)
    JOIN limit_row l USING (world, year)
    WHERE p.opening_pay IS NOT NULL
)
SELECT world, 'amount', employee_id, year, 'contribution', coalesce(money(contribution), 'null'), money(amount)
FROM stated
WHERE contribution IS DISTINCT FROM amount
UNION ALL
SELECT world, 'event', employee_id, year, 'contribution', coalesce(money(contributed), 'no event'),
       CASE WHEN amount > 0 THEN money(amount) ELSE 'no event' END
FROM stated
WHERE contributed IS DISTINCT FROM CASE WHEN amount > 0 THEN amount END
UNION ALL
SELECT world, 'within_pay', employee_id, year, 'contribution', money(contribution), 'at most the pay of ' || money(prorated)
FROM person_year
WHERE contribution > prorated
