INSERT INTO outbox (envelope, processor, redecide)
SELECT r.envelope, r.processor, false FROM unnest($1::uuid[], $2::text[]) AS r (envelope, processor)
