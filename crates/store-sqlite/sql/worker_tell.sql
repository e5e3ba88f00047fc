INSERT INTO worker (id, processor, in_flight, written_at, forget_at)
SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'),
    CAST(unixepoch('subsec') * 1000000 AS INTEGER), CAST(unixepoch('subsec') * 1000000 AS INTEGER) + ?3
FROM json_each(?2)
WHERE true
ON CONFLICT (id, processor) DO UPDATE SET
    in_flight = excluded.in_flight,
    written_at = excluded.written_at,
    forget_at = excluded.forget_at
