SELECT id, source, delivery_key, received_at, headers::text AS headers, trace, body FROM envelope WHERE id = $1
