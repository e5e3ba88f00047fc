WITH new (account, document_id, person, signed_at, expires, category, voided_at) AS (VALUES (?, ?, ?, ?, ?, ?, ?))
INSERT INTO document (account, document_id, person, signed_at, expires, category, voided_at)
SELECT new.account, new.document_id, p.number, new.signed_at, new.expires, new.category, new.voided_at
FROM new
LEFT JOIN person AS p ON p.id = new.person
WHERE true
ON CONFLICT (account, document_id) DO UPDATE SET
    person = excluded.person,
    signed_at = excluded.signed_at,
    expires = excluded.expires,
    category = excluded.category,
    voided_at = excluded.voided_at
