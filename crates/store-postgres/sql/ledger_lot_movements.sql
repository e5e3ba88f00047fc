-- In the order in which they were decided.
SELECT m.*
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM lot_movement WHERE transaction_id = wanted.id OFFSET 0) AS m
ORDER BY m.number
