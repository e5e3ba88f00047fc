SELECT p.account, p.event_key, p.outcome, p.digest
FROM unnest($2::text[], $3::text[]) AS wanted (account, event_key)
CROSS JOIN LATERAL (
    SELECT *
    FROM processed AS f
    WHERE f.processor = $1 AND f.account = wanted.account AND f.event_key = wanted.event_key
    LIMIT 1
) AS p
