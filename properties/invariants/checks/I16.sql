-- I16 Rate changes
-- A rate changes by an event only; an escalation raises the rate before it by the increment, at most to the maximum, and never lowers it.
-- clause explained [state.deferral_rate]: rate(y) <> rate(y-1) => a rate event or an exit in y
-- clause previous: the rate before an escalation or opt-out = that of the rate event before it, else of the start of the year
-- clause step [scenario]: new rate = min(maximum, old rate + increment)
-- clause below_maximum [scenario]: old rate < maximum
-- clause rises: new rate > old rate
SELECT world, 'explained', employee_id, year, NULL, rate(rate), rate(opening_rate) || ', as at the start of the year'
FROM person_year
WHERE rate <> opening_rate AND is_active
  AND coalesce(enrolled_on, escalated_on, opted_out_on) IS NULL
UNION ALL
SELECT world, 'previous', employee_id, year, 'deferral_escalation', coalesce(rate(escalated_previous), 'null'),
       coalesce(rate(CASE WHEN enrolled_on < escalated_on THEN enrolled_rate ELSE opening_rate END), 'null')
FROM person_year
WHERE escalated_on IS NOT NULL AND (opening_enrolled IS NOT NULL)
  AND escalated_previous IS DISTINCT FROM CASE WHEN enrolled_on < escalated_on THEN enrolled_rate ELSE opening_rate END
UNION ALL
SELECT world, 'previous', employee_id, year, 'enrollment_change', coalesce(rate(opted_out_previous), 'null'),
       coalesce(rate(coalesce(CASE WHEN escalated_on <= opted_out_on THEN escalated_rate END, enrolled_rate, opening_rate)), 'null')
FROM person_year
WHERE opted_out_on IS NOT NULL AND (opening_enrolled IS NOT NULL)
  AND opted_out_previous IS DISTINCT FROM
      coalesce(CASE WHEN escalated_on <= opted_out_on THEN escalated_rate END, enrolled_rate, opening_rate)
UNION ALL
SELECT world, 'step', employee_id, year, 'deferral_escalation', coalesce(rate(escalated_rate), 'null'),
       rate(least(deferral_auto_escalation_maximum_rate, escalated_previous + deferral_auto_escalation_increment_amount))
FROM eligible
WHERE escalated_on IS NOT NULL
  AND escalated_rate IS DISTINCT FROM
      least(deferral_auto_escalation_maximum_rate, escalated_previous + deferral_auto_escalation_increment_amount)
UNION ALL
SELECT world, 'below_maximum', employee_id, year, 'deferral_escalation', coalesce(rate(escalated_previous), 'null'),
       'below ' || rate(deferral_auto_escalation_maximum_rate)
FROM eligible
WHERE escalated_on IS NOT NULL AND (escalated_previous < deferral_auto_escalation_maximum_rate) IS DISTINCT FROM true
UNION ALL
SELECT world, 'rises', employee_id, year, 'deferral_escalation', coalesce(rate(escalated_rate), 'null'),
       'above ' || coalesce(rate(escalated_previous), 'null')
FROM person_year
WHERE escalated_on IS NOT NULL AND (escalated_rate > escalated_previous) IS DISTINCT FROM true
