INSERT INTO envelope (id, source, delivery_key, received_at, headers, trace, body)
SELECT r.id, r.source, r.delivery_key, r.received_at, r.headers::jsonb, r.trace, r.body
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::bytea[])
    AS r (id, source, delivery_key, received_at, headers, trace, body)
ON CONFLICT (id) DO NOTHING
