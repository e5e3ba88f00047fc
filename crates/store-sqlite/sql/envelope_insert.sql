INSERT INTO envelope (id, source, delivery_key, received_at, headers, trace, body)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
