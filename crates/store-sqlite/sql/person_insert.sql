WITH new (id, processor, account, event_key) AS (VALUES (?, ?, ?, ?))
INSERT INTO person (id, fact)
SELECT new.id, f.id
FROM new
CROSS JOIN processed AS f
    ON f.processor = new.processor AND f.account = new.account AND f.event_key = new.event_key
