INSERT INTO outbox (envelope, processor, redecide) VALUES (?, ?, 0)
