-- I26 Core
-- The core amount follows from pay and eligibility alone, less what the limit on annual additions takes; it is an event exactly if there is any.
-- needs: scenario, census, state.employer_core_amount
-- clause amount: core = half_up(rate x sum of min(pay, limit) x days / (10 000 D)) less the excess, for those eligible by the end of their year
-- clause event: there is an event of this amount <=> core > 0
SELECT world, 'amount', employee_id, year, 'employer_core', coalesce(money(core), 'null'),
       money(stated_core) || CASE WHEN excess > 0 THEN ', after ' || money(excess) || ' over the limit' ELSE '' END
FROM employer
WHERE core IS DISTINCT FROM stated_core
UNION ALL
SELECT world, 'event', employee_id, year, 'employer_core', coalesce(money(cored), 'no event'),
       CASE WHEN stated_core > 0 THEN money(stated_core) ELSE 'no event' END
FROM employer
WHERE cored IS DISTINCT FROM CASE WHEN stated_core > 0 THEN stated_core END
