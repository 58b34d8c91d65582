-- The limits of each simulated year, in cents.
CREATE OR REPLACE TEMP VIEW limit_row AS
SELECT world, year, elective_deferral, catch_up, compensation, annual_additions FROM limit_in;
