INSERT INTO worker (id, processor, in_flight, written_at, forget_at)
SELECT $1, r.processor, r.in_flight, clock_timestamp(), clock_timestamp() + $4::bigint * interval '1 microsecond'
FROM unnest($2::text[], $3::bigint[]) AS r (processor, in_flight)
ORDER BY r.processor
ON CONFLICT (id, processor) DO UPDATE SET
    in_flight = excluded.in_flight,
    written_at = excluded.written_at,
    forget_at = excluded.forget_at
