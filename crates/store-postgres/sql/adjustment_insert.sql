INSERT INTO adjustment (fact, payment, kind, cumulative_minor, happened_at, happened_on)
SELECT (SELECT f.id FROM processed AS f WHERE f.processor = $1 AND f.account = r.account AND f.event_key = r.event_key),
    (SELECT p.number FROM payment AS p WHERE p.account = r.account AND p.transaction_id = r.transaction_id),
    r.kind, r.cumulative_minor, r.happened_at, r.happened_on
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::date[])
    AS r (account, event_key, transaction_id, kind, cumulative_minor, happened_at, happened_on)
