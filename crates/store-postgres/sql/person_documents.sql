SELECT d.document_id, d.account, p.id AS person, d.signed_at, d.expires, d.category, d.voided_at
FROM document AS d
CROSS JOIN LATERAL (SELECT id FROM person WHERE number = d.person LIMIT 1) AS p
WHERE d.person = ANY ($1::bigint[])
ORDER BY d.account, d.document_id
