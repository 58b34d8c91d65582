-- I25 Match
-- The match follows from rate, pay and tiers day by day, less what the limit on annual additions takes after core; it is an event exactly if there is any.
-- needs: scenario, census, state.employer_match_amount
-- clause amount: match = half_up(sum of min(pay, limit) x m(rate) x days / (10^8 D)) less the rest of the excess; 0 if switched off
-- clause event: there is an event of this amount <=> match > 0
SELECT world, 'amount', employee_id, year, 'employer_match', coalesce(money(match), 'null'),
       money(stated_match) || CASE WHEN excess > 0 THEN ', after ' || money(excess) || ' over the limit' ELSE '' END
FROM employer
WHERE match IS DISTINCT FROM stated_match
UNION ALL
SELECT world, 'event', employee_id, year, 'employer_match', coalesce(money(matched), 'no event'),
       CASE WHEN stated_match > 0 THEN money(stated_match) ELSE 'no event' END
FROM employer
WHERE matched IS DISTINCT FROM CASE WHEN stated_match > 0 THEN stated_match END
