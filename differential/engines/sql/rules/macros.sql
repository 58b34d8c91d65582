-- Arithmetic shared by the rules. All numbers are integers: money in cents, rates in basis points (bp), chances in
-- parts per million (ppm). Macros are pasted in as text, so an argument that occurs twice should be a plain column.

-- 1. Units and rounding. Arguments are never negative: // would round a negative quotient towards zero.
CREATE OR REPLACE MACRO half_up(a, b) AS (2 * a + b) // (2 * b);
CREATE OR REPLACE MACRO max_pay() AS 10000000000::BIGINT;
CREATE OR REPLACE MACRO raised_pay(pay, bp) AS least(max_pay(), half_up(pay * (10000 + bp), 10000));

-- 1. Dates. Adding years clamps 29 February to the 28th in common years, which is the anniversary rule.
CREATE OR REPLACE MACRO anniversary(born, in_year) AS (born + to_years((in_year - year(born))::INTEGER))::DATE;
CREATE OR REPLACE MACRO anniversary_after(born, years) AS (born + to_years(years::INTEGER))::DATE;
CREATE OR REPLACE MACRO completed_years(born, on_day) AS
    (year(on_day) - year(born) - (on_day < anniversary(born, year(on_day)))::INTEGER)::INTEGER;
CREATE OR REPLACE MACRO plus_days(day, days) AS (day + (days)::INTEGER);
CREATE OR REPLACE MACRO overlap_days(first_a, last_a, first_b, last_b) AS
    greatest(0, (least(last_a, last_b) - greatest(first_a, first_b)) + 1);

-- 3. Segments used by enrolment, as positions in lists of four.
CREATE OR REPLACE MACRO age_segment(age) AS 1 + (age >= 30)::INTEGER + (age >= 45)::INTEGER + (age >= 60)::INTEGER;
CREATE OR REPLACE MACRO income_segment(pay) AS
    1 + (pay >= 5000000)::INTEGER + (pay >= 10000000)::INTEGER + (pay >= 20000000)::INTEGER;
CREATE OR REPLACE MACRO segment_ppm(rate_bp, multiplier_bp) AS least(1000000, rate_bp * 100 * multiplier_bp // 10000);

-- 3. Promotion bands, as positions in lists of five.
CREATE OR REPLACE MACRO tenure_band(years) AS
    1 + (years >= 2)::INTEGER + (years >= 5)::INTEGER + (years >= 10)::INTEGER + (years >= 20)::INTEGER;
CREATE OR REPLACE MACRO age_band(age) AS
    1 + (age >= 25)::INTEGER + (age >= 35)::INTEGER + (age >= 45)::INTEGER + (age >= 55)::INTEGER;

-- 4. Draws. Products and sums are of 64-bit words held in 128 bits, so they cannot overflow before the mask.
-- The steps are lambdas because a lambda names a value: a macro's argument is pasted in as text wherever it occurs, and
-- folds within folds would grow eightfold a step.
CREATE OR REPLACE MACRO low_64(z) AS (z & 18446744073709551615::UHUGEINT);
CREATE OR REPLACE MACRO absorb(h, w) AS low_64(h + 11400714819323198485::UHUGEINT + w::UHUGEINT);
CREATE OR REPLACE MACRO mix_1(z) AS low_64(xor(z, z >> 30) * 13787848793156543929::UHUGEINT);
CREATE OR REPLACE MACRO mix_2(z) AS low_64(xor(z, z >> 27) * 10723151780598845931::UHUGEINT);
CREATE OR REPLACE MACRO mix_3(z) AS xor(z, z >> 31);
-- fold(h, w) of every w in the list, as UHUGEINT
CREATE OR REPLACE MACRO fold_each(h, words) AS list_transform(
    list_transform(words, lambda w: mix_1(absorb(h, w))), lambda z: mix_3(mix_2(z))
);
CREATE OR REPLACE MACRO fold(h, w) AS fold_each(h, [w])[1];
-- The first 8 bytes, big endian, of SHA-256 of the UTF-8 text.
CREATE OR REPLACE MACRO text_key(words) AS ('0x' || substr(sha256(words), 1, 16))::UBIGINT;
CREATE OR REPLACE MACRO draw_below(draw, n) AS (draw % (n)::UBIGINT)::BIGINT;
CREATE OR REPLACE MACRO chance(draw, ppm) AS draw_below(draw, 1000000) < ppm;

-- 5.11 The match rate of deferral rate r, in bp squared.
CREATE OR REPLACE MACRO match_bp2(r, tiers, cap_bp) AS least(
    cap_bp * 10000,
    list_sum(list_transform(
        tiers, lambda tier: tier.match_bp * greatest(0, least(r, tier.maximum_bp) - tier.minimum_bp)
    ))::BIGINT
);

-- 6. Output: exact decimals, and the same as JSON text.
CREATE OR REPLACE MACRO money(cents) AS (cents * 0.01::DECIMAL(3, 2))::DECIMAL(18, 2);
CREATE OR REPLACE MACRO rate(bp) AS (bp * 0.0001::DECIMAL(5, 4))::DECIMAL(7, 4);
CREATE OR REPLACE MACRO cents(amount) AS (amount * 100)::BIGINT;
CREATE OR REPLACE MACRO basis_points(fraction) AS (fraction * 10000)::BIGINT;
