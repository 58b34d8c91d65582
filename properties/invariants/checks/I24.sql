-- I24 Limits
-- Deferrals stay under the limit of the year and age, match and core count pay up to the compensation limit, and all together stay under the
-- limit on annual additions.
-- needs: scenario
-- clause deferral: contribution <= elective_deferral, plus catch_up from age 50 on 31 December
-- clause additions: min(contribution, elective_deferral) + match + core <= max(annual_additions, min(contribution, elective_deferral))
-- clause match: match <= half_up(min(highest pay of the year, compensation limit) x cap_percent)
-- clause core: core <= half_up(min(highest pay of the year, compensation limit) x contribution_rate)
SELECT p.world, 'deferral', p.employee_id, p.year, 'contribution', money(p.contribution),
       'at most ' || money(l.elective_deferral) || ', and ' || money(l.catch_up) || ' from age 50; age ' || completed_years(p.birth, p.year_last)
FROM person_year p
JOIN limit_row l USING (world, year)
WHERE p.contribution > l.elective_deferral + CASE WHEN completed_years(p.birth, p.year_last) >= 50 THEN l.catch_up ELSE 0 END
UNION ALL
SELECT p.world, 'additions', p.employee_id, p.year, NULL,
       money(least(p.contribution, l.elective_deferral)) || ' + ' || money(p.match) || ' + ' || money(p.core),
       'at most ' || money(l.annual_additions)
FROM person_year p
JOIN limit_row l USING (world, year)
WHERE least(p.contribution, l.elective_deferral) + p.match + p.core > l.annual_additions
UNION ALL
SELECT p.world, 'match', p.employee_id, p.year, 'employer_match', money(p.match),
       'at most ' || money(half_up(least(p.pay, l.compensation) * p.employer_match_cap_percent, 10000))
FROM eligible p
JOIN limit_row l USING (world, year)
WHERE p.match > half_up(least(p.pay, l.compensation) * p.employer_match_cap_percent, 10000)
UNION ALL
SELECT p.world, 'core', p.employee_id, p.year, 'employer_core', money(p.core),
       'at most ' || money(half_up(least(p.pay, l.compensation) * p.employer_core_contribution_rate, 10000))
FROM eligible p
JOIN limit_row l USING (world, year)
WHERE p.core > half_up(least(p.pay, l.compensation) * p.employer_core_contribution_rate, 10000)
