-- I11's fold: every person's state at the end of every year from the census and the events up to then, and from nothing else.
CREATE OR REPLACE TEMP TABLE fold AS
WITH change AS (
    SELECT
        world, employee_id, start_year - 1 AS year, make_date(start_year - 1, 12, 31) AS day, 0 AS code,
        pay, level, rate, CASE WHEN rate > 0 THEN make_date(start_year - 1, 12, 31) END AS enrollment_date,
        false AS opts_out, false AS leaves, 0::BIGINT AS money
    FROM member
    UNION ALL
    SELECT
        world, employee_id, year, day, code,
        CASE WHEN event_type IN ('hire', 'promotion', 'raise') THEN amount END,
        CASE WHEN event_type IN ('hire', 'promotion') THEN level END,
        CASE WHEN event_type = 'hire' THEN 0
             WHEN event_type IN ('enrollment', 'deferral_escalation', 'enrollment_change') THEN rate
             WHEN event_type = 'termination' THEN 0 END,
        CASE WHEN event_type = 'enrollment' THEN day END,
        event_type = 'enrollment_change',
        event_type = 'termination',
        CASE WHEN event_type IN ('contribution', 'employer_match', 'employer_core') THEN amount ELSE 0 END
    FROM event
),
folded AS (
    SELECT
        world, employee_id, year, day, code,
        last_value(pay IGNORE NULLS) OVER so_far AS pay,
        last_value(level IGNORE NULLS) OVER so_far AS level,
        last_value(rate IGNORE NULLS) OVER so_far AS rate,
        last_value(enrollment_date IGNORE NULLS) OVER so_far AS enrollment_date,
        bool_or(opts_out) OVER so_far AS has_opted_out,
        bool_or(leaves) OVER so_far AS has_left,
        sum(money) OVER so_far AS balance
    FROM change
    WINDOW so_far AS (PARTITION BY world, employee_id ORDER BY year, day, code ROWS UNBOUNDED PRECEDING)
),
year_end AS (
    SELECT * FROM folded
    QUALIFY row_number() OVER (PARTITION BY world, employee_id, year ORDER BY day DESC, code DESC) = 1
)
-- A year without any event keeps what the last year with one left.
SELECT p.world, p.employee_id, p.year, f.pay, f.level, f.rate, f.rate > 0 AS is_enrolled, f.enrollment_date,
       f.has_opted_out, NOT f.has_left AS is_active, f.balance
FROM (SELECT DISTINCT world, employee_id, year FROM state) p
ASOF JOIN year_end f ON p.world = f.world AND p.employee_id = f.employee_id AND p.year >= f.year;
