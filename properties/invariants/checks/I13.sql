-- I13 Enrolment lasts
-- Who was enrolled at the end of last year, stays all year and does not opt out is enrolled at its end, at a rate that events explain.
-- needs: state.is_enrolled
-- clause stays_enrolled: enrolled(y-1), active(y), no opt-out in y => enrolled(y)
-- clause rate_explained [state.deferral_rate]: then rate(y) = the escalated rate of y, else rate(y-1)
-- clause date_kept [state.enrollment_date]: then the enrolment date is last year's
SELECT world, v.clause, employee_id, year, NULL, coalesce(v.found, 'null'), coalesce(v.expected, 'null')
FROM person_year,
LATERAL (VALUES
    ('stays_enrolled', is_enrolled::VARCHAR, 'true'),
    ('rate_explained', rate(rate), rate(coalesce(escalated_rate, opening_rate))),
    ('date_kept', enrollment_date::VARCHAR, opening_enrollment_date::VARCHAR)
) v(clause, found, expected)
WHERE opening_enrolled AND is_active AND opted_out_on IS NULL AND v.found IS DISTINCT FROM v.expected
