INSERT INTO person (id, fact)
VALUES (?, (SELECT id FROM processed WHERE processor = ? AND account = ? AND event_key = ?))
