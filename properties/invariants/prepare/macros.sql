-- Arithmetic and dates of docs/simulation.md, section 1. Money in cents, rates in basis points.
CREATE OR REPLACE TEMP MACRO half_up(a, b) AS (2 * a::HUGEINT + b) // (2 * b::HUGEINT);

CREATE OR REPLACE TEMP MACRO highest_pay() AS 10000000000;

CREATE OR REPLACE TEMP MACRO is_leap(y) AS (y % 4 = 0 AND y % 100 <> 0) OR y % 400 = 0;

CREATE OR REPLACE TEMP MACRO anniversary(born, y) AS
    CASE WHEN month(born) = 2 AND day(born) = 29 AND NOT is_leap(y) THEN make_date(y, 2, 28)
         ELSE make_date(y, month(born), day(born)) END;

CREATE OR REPLACE TEMP MACRO completed_years(born, on_day) AS
    year(on_day) - year(born) - CASE WHEN on_day < anniversary(born, year(on_day)) THEN 1 ELSE 0 END;

-- As tables and payloads write them: two decimals for money, four for rates.
CREATE OR REPLACE TEMP MACRO money(cents) AS
    CASE WHEN cents < 0 THEN '-' ELSE '' END || (abs(cents) // 100)::VARCHAR || '.' || lpad((abs(cents) % 100)::VARCHAR, 2, '0');

CREATE OR REPLACE TEMP MACRO rate(bp) AS
    CASE WHEN bp < 0 THEN '-' ELSE '' END || (abs(bp) // 10000)::VARCHAR || '.' || lpad((abs(bp) % 10000)::VARCHAR, 4, '0');

-- Segments of 3: the position in lists such as opt_out_by_age, from 1.
CREATE OR REPLACE TEMP MACRO age_segment(age) AS CASE WHEN age < 30 THEN 1 WHEN age < 45 THEN 2 WHEN age < 60 THEN 3 ELSE 4 END;

CREATE OR REPLACE TEMP MACRO income_segment(pay) AS
    CASE WHEN pay < 5000000 THEN 1 WHEN pay < 10000000 THEN 2 WHEN pay < 20000000 THEN 3 ELSE 4 END;

-- Bands of 3: the position in promotion.tenure_multipliers and age_multipliers, from 1.
CREATE OR REPLACE TEMP MACRO tenure_band(years) AS
    CASE WHEN years < 2 THEN 1 WHEN years < 5 THEN 2 WHEN years < 10 THEN 3 WHEN years < 20 THEN 4 ELSE 5 END;

CREATE OR REPLACE TEMP MACRO age_band(years) AS
    CASE WHEN years < 25 THEN 1 WHEN years < 35 THEN 2 WHEN years < 45 THEN 3 WHEN years < 55 THEN 4 ELSE 5 END;

-- A value of an event's payload as text; null where the payload is no JSON, which I28 reports.
CREATE OR REPLACE TEMP MACRO payload_value(payload, key) AS
    CASE WHEN json_valid(payload) THEN json_extract_string(payload, '$.' || key) END;
