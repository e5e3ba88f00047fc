SELECT id, processor, in_flight,
    greatest(0, floor(extract(epoch FROM clock_timestamp() - written_at)))::bigint AS last_seen_s
FROM worker
ORDER BY processor, id
