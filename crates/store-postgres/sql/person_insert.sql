INSERT INTO person (id, fact)
SELECT r.id,
    (SELECT f.id FROM processed AS f WHERE f.processor = $1 AND f.account = r.account AND f.event_key = r.event_key)
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS r (id, account, event_key)
