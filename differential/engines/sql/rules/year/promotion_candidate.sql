-- 5.6: bands of completed years on 1 February; both are null for those who cannot be promoted that day.
WITH on_the_day AS (
    SELECT
        *,
        completed_years(birth_date, promotion_day) AS age,
        completed_years(hire_date, promotion_day) AS service,
        NOT is_new_hire AND end_day >= promotion_day AS is_employed
    FROM person
)
SELECT
    * EXCLUDE (age, service, is_employed),
    CASE WHEN is_employed AND service >= 1 AND age < 65 THEN tenure_band(service) END AS tenure_band,
    CASE WHEN is_employed AND service >= 1 AND age < 65 THEN age_band(age) END AS age_band
FROM on_the_day
