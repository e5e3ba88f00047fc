SELECT id, processor, in_flight, max(0, CAST(unixepoch('subsec') * 1000000 AS INTEGER) - written_at) / 1000000 AS last_seen_s
FROM worker
ORDER BY processor, id
