SELECT d.number
FROM document AS d
WHERE d.number = ANY (ARRAY(
    SELECT named.number
    FROM unnest($1::text[], $2::text[]) AS wanted (account, document_id)
    CROSS JOIN LATERAL (
        SELECT number
        FROM document
        WHERE account = wanted.account AND document_id = wanted.document_id
        LIMIT 1
    ) AS named
))
ORDER BY d.number
FOR NO KEY UPDATE OF d
