SELECT p.number, p.id
FROM person AS p
WHERE p.number IN (
    SELECT e.person
    FROM unnest($1::text[]) AS wanted (email)
    JOIN person_email AS e ON e.email = wanted.email
    UNION
    SELECT b.person
    FROM unnest($2::text[], $3::text[]) AS wanted (account, transaction_id)
    JOIN payment AS b ON b.account = wanted.account AND b.transaction_id = wanted.transaction_id
)
ORDER BY p.number
FOR NO KEY UPDATE OF p
