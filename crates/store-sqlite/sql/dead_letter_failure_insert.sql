WITH new (processor, account, event_key, envelope, reason, detail, failed_at, attempts)
    AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?))
INSERT INTO dead_letter_failure (letter, envelope, reason, detail, failed_at, attempts)
SELECT d.id, new.envelope, new.reason, new.detail, new.failed_at, new.attempts
FROM new
CROSS JOIN dead_letter AS d
    ON d.processor = new.processor AND d.account = new.account AND d.event_key = new.event_key
WHERE true
ON CONFLICT (letter, envelope, failed_at) DO NOTHING
