-- I11 Replay
-- The fold of the census and the events up to a year gives its state: no change without an event, no event without its effect.
-- needs: census
-- clause active: active at year end = no termination so far
-- clause level [state.current_level, events.level_id, scenario]: level = that of the last hire or promotion, else the census pay's
-- clause pay: pay = that of the last hire, promotion or raise, else the census pay
-- clause enrolled [state.is_enrolled]: enrolled = the last enrolment is followed by no opt-out and no exit
-- clause rate [state.deferral_rate]: rate = that of the last rate event; 0 after opt-out and exit
-- clause enrollment_date [state.enrollment_date]: enrolment date = that of the last enrolment, else of the census participation
-- clause opted_out [state.has_opted_out]: has opted out = there is an opt-out so far
-- clause balance [state.account_balance]: balance = all contributions, matches and core amounts so far
WITH differing AS (
    SELECT s, f
    FROM state s
    JOIN fold f USING (world, employee_id, year)
    WHERE (s.is_active, s.level, s.pay, s.is_enrolled, s.rate, s.enrollment_date, s.has_opted_out, s.balance)
        IS DISTINCT FROM
          (f.is_active, f.level, f.pay, f.is_enrolled, f.rate, f.enrollment_date, f.has_opted_out, f.balance)
)
SELECT s.world, v.clause, s.employee_id, s.year, NULL, coalesce(v.found, 'null'), coalesce(v.expected, 'null')
FROM differing,
LATERAL (VALUES
    ('active', s.is_active::VARCHAR, f.is_active::VARCHAR),
    ('level', s.level::VARCHAR, f.level::VARCHAR),
    ('pay', money(s.pay), money(f.pay)),
    ('enrolled', s.is_enrolled::VARCHAR, f.is_enrolled::VARCHAR),
    ('rate', rate(s.rate), rate(f.rate)),
    ('enrollment_date', s.enrollment_date::VARCHAR, f.enrollment_date::VARCHAR),
    ('opted_out', s.has_opted_out::VARCHAR, f.has_opted_out::VARCHAR),
    ('balance', money(s.balance), money(f.balance))
) v(clause, found, expected)
WHERE v.found IS DISTINCT FROM v.expected
