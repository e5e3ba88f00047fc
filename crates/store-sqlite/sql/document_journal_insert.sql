INSERT INTO document_journal (document, person, signed_at, expires, category, voided_at, fact, written_at)
VALUES ((SELECT number FROM document WHERE account = ? AND document_id = ?),
    (SELECT number FROM person WHERE id = ?), ?, ?, ?, ?,
    (SELECT id FROM processed WHERE processor = ? AND account = ? AND event_key = ?), ?)
