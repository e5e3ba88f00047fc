-- In the order in which they were decided.
SELECT m.lot, m.transaction_id, m.n, m.amount
FROM json_each(?1) AS wanted
CROSS JOIN lot_movement AS m ON m.transaction_id = unhex(wanted.value)
ORDER BY m.number
