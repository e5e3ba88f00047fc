INSERT INTO hold_pin (hold, lot, amount)
VALUES (?, ?, ?)
