INSERT INTO document (account, document_id, person, signed_at, expires, category, voided_at)
SELECT r.account, r.document_id, (SELECT p.number FROM person AS p WHERE p.id = r.person),
    r.signed_at, r.expires, r.category, r.voided_at
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::date[], $6::text[], $7::timestamptz[])
    AS r (account, document_id, person, signed_at, expires, category, voided_at)
ON CONFLICT (account, document_id) DO UPDATE SET
    person = excluded.person,
    signed_at = excluded.signed_at,
    expires = excluded.expires,
    category = excluded.category,
    voided_at = excluded.voided_at
