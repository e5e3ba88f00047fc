INSERT INTO document_journal
    (account, document_id, person, signed_at, expires, category, voided_at, processor, event_key, written_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
