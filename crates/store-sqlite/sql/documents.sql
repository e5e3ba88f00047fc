SELECT d.document_id, d.account, p.id AS person, d.signed_at, d.expires, d.category, d.voided_at
FROM json_each(?1) AS wanted
CROSS JOIN document AS d ON d.account = wanted.value ->> 0 AND d.document_id = wanted.value ->> 1
LEFT JOIN person AS p ON p.number = d.person
