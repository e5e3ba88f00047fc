INSERT INTO lot_movement (transaction_id, n, lot, amount)
VALUES (?, ?, ?, ?)
