-- Every simulated year of every feasible world, with or without rows. `opening_known`: the opening set of the year is at hand.
CREATE OR REPLACE TEMP TABLE simulated AS
SELECT
    r.world,
    y.year::INTEGER AS year,
    y.year = r.start_year AS is_first_year,
    make_date(y.year, 1, 1) AS year_first,
    make_date(y.year, 12, 31) AS year_last,
    CASE WHEN is_leap(y.year) THEN 366 ELSE 365 END AS days,
    r.has_census OR y.year > r.start_year AS opening_known
FROM run r, LATERAL (SELECT unnest(range(r.start_year, r.end_year + 1))::INTEGER AS year) y
WHERE NOT r.infeasible;
