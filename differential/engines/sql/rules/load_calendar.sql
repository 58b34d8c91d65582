-- Section 1 and 5: the days of each simulated year that rules refer to.
INSERT INTO calendar BY NAME
SELECT
    world, year_index, year,
    make_date(year, 1, 1) AS first_day,
    make_date(year, 12, 31) AS last_day,
    make_date(year, 12, 31) - make_date(year, 1, 1) + 1 AS days,
    make_date(year, 1, 31) AS january_end,
    make_date(year, 2, 1) AS promotion_day,
    make_date(year, 7, 14) AS before_raise,
    make_date(year, 7, 15) AS raise_day,
    make_date(year, escalation_month, escalation_day_of_month) AS escalation_day,
    elective_deferral, catch_up, compensation_limit, annual_additions
FROM years_in JOIN world USING (world)
