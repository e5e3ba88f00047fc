SELECT d.document_id, d.account, p.id AS person, d.signed_at, d.expires, d.category, d.voided_at
FROM unnest($1::bigint[]) AS wanted (person)
JOIN document AS d ON d.person = wanted.person
JOIN person AS p ON p.number = d.person
ORDER BY d.account, d.document_id
