SELECT p.number, p.id
FROM person AS p
WHERE p.number = ANY (ARRAY(
    SELECT e.person
    FROM unnest($1::text[]) AS wanted (email)
    CROSS JOIN LATERAL (SELECT person FROM person_email WHERE email = wanted.email LIMIT 1) AS e
    UNION
    SELECT b.person
    FROM unnest($2::text[], $3::text[]) AS wanted (account, transaction_id)
    CROSS JOIN LATERAL (
        SELECT person
        FROM payment
        WHERE account = wanted.account AND transaction_id = wanted.transaction_id
        LIMIT 1
    ) AS b
))
