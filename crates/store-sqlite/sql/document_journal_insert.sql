WITH new (ordinal, account, document_id, person, signed_at, expires, category, voided_at, processor, event_account, event_key,
    written_at) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
INSERT INTO document_journal (document, person, signed_at, expires, category, voided_at, fact, written_at)
SELECT d.number, p.number, new.signed_at, new.expires, new.category, new.voided_at, f.id, new.written_at
FROM new
CROSS JOIN document AS d ON d.account = new.account AND d.document_id = new.document_id
CROSS JOIN processed AS f
    ON f.processor = new.processor AND f.account = new.event_account AND f.event_key = new.event_key
LEFT JOIN person AS p ON p.id = new.person
ORDER BY new.ordinal
