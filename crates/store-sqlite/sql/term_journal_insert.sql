WITH new (ordinal, account, transaction_id, starts, expires, ended_on, end_reason,
    was_starts, was_expires, was_ended_on, was_end_reason, processor, event_account, event_key, written_at)
    AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
INSERT INTO term_journal
    (payment, starts, expires, ended_on, end_reason, was_starts, was_expires, was_ended_on, was_end_reason,
     fact, written_at)
SELECT p.number, new.starts, new.expires, new.ended_on, new.end_reason,
    new.was_starts, new.was_expires, new.was_ended_on, new.was_end_reason, f.id, new.written_at
FROM new
CROSS JOIN payment AS p ON p.account = new.account AND p.transaction_id = new.transaction_id
CROSS JOIN processed AS f
    ON f.processor = new.processor AND f.account = new.event_account AND f.event_key = new.event_key
ORDER BY new.ordinal
