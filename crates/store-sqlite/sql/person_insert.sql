INSERT INTO person (id, processor, account, event_key) VALUES (?, ?, ?, ?)
