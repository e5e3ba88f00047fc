SELECT d.document_id, d.account, p.id AS person, d.signed_at, d.expires, d.category, d.voided_at
FROM unnest($1::text[], $2::text[]) AS wanted (account, document_id)
CROSS JOIN LATERAL (
    SELECT *
    FROM document
    WHERE account = wanted.account AND document_id = wanted.document_id
    LIMIT 1
) AS d
LEFT JOIN LATERAL (SELECT id FROM person WHERE number = d.person LIMIT 1) AS p ON true
