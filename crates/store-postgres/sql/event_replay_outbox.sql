INSERT INTO outbox (envelope, processor, redecide)
SELECT e.id, chosen.processor, $3
FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS chosen (processor, envelope, turn)
JOIN envelope AS e ON e.id = chosen.envelope
ORDER BY chosen.turn
