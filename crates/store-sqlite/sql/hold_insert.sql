INSERT INTO hold (id, account, amount, state, settled, expires_at)
VALUES (?, ?, ?, ?, ?, ?)
