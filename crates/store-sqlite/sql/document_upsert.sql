INSERT INTO document (account, document_id, person, signed_at, expires, category, voided_at)
VALUES (?, ?, (SELECT number FROM person WHERE id = ?), ?, ?, ?, ?)
ON CONFLICT (account, document_id) DO UPDATE SET
    person = excluded.person,
    signed_at = excluded.signed_at,
    expires = excluded.expires,
    category = excluded.category,
    voided_at = excluded.voided_at
