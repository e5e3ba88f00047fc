INSERT INTO hold_pin (hold, lot, amount)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
