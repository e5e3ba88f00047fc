SELECT p.account, p.event_key, p.outcome, p.digest
FROM unnest($2::text[], $3::text[]) AS wanted (account, event_key)
JOIN processed AS p
    ON p.processor = $1 AND p.account = wanted.account AND p.event_key = wanted.event_key
