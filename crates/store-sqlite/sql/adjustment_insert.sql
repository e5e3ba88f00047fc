WITH new (processor, account, event_key, transaction_id, kind, cumulative_minor, happened_at, happened_on)
    AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?))
INSERT INTO adjustment (fact, payment, kind, cumulative_minor, happened_at, happened_on)
SELECT f.id, p.number, new.kind, new.cumulative_minor, new.happened_at, new.happened_on
FROM new
CROSS JOIN processed AS f
    ON f.processor = new.processor AND f.account = new.account AND f.event_key = new.event_key
CROSS JOIN payment AS p ON p.account = new.account AND p.transaction_id = new.transaction_id
