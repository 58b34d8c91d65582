-- 5.11: prorated pay and, in cents x days, pay under the compensation limit of the employed window. The year is cut at
-- 1 February and 15 July; a cut where pay does not change leaves every sum as it is.
WITH counted AS (
    SELECT
        p.person, c.pay_1, c.pay_2, c.pay_3, y.compensation_limit, y.days,
        overlap_days(p.start_day, p.end_day, y.first_day, y.january_end) AS days_1,
        overlap_days(p.start_day, p.end_day, y.promotion_day, y.before_raise) AS days_2,
        overlap_days(p.start_day, p.end_day, y.raise_day, y.last_day) AS days_3
    FROM person p
    JOIN career c USING (person)
    JOIN calendar y ON y.world = p.world AND y.year_index = $year_index
)
SELECT
    person,
    half_up(pay_1 * days_1 + pay_2 * days_2 + pay_3 * days_3, days) AS prorated,
    least(pay_1, compensation_limit) * days_1 + least(pay_2, compensation_limit) * days_2
        + least(pay_3, compensation_limit) * days_3 AS capped_days
FROM counted
