SELECT d.number
FROM document AS d
JOIN unnest($1::text[], $2::text[]) AS wanted (account, document_id)
    ON d.account = wanted.account AND d.document_id = wanted.document_id
ORDER BY d.account, d.document_id
FOR NO KEY UPDATE OF d
