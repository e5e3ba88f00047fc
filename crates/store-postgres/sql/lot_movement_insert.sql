INSERT INTO lot_movement (transaction_id, n, lot, amount)
SELECT *
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[])
