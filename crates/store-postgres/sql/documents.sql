SELECT d.document_id, d.account, p.id AS person, d.signed_at, d.expires, d.category, d.voided_at
FROM unnest($1::text[], $2::text[]) AS wanted (account, document_id)
JOIN document AS d ON d.account = wanted.account AND d.document_id = wanted.document_id
LEFT JOIN person AS p ON p.number = d.person
