-- A letter whose newest envelope was pruned stays as it is, as in `dead_letter_replay`.
INSERT INTO outbox (envelope, processor, redecide)
SELECT f.envelope, d.processor, $2
FROM unnest($1::bigint[]) WITH ORDINALITY AS chosen (id, turn)
JOIN dead_letter AS d ON d.id = chosen.id
JOIN envelope AS newest ON newest.id = d.envelope
JOIN dead_letter_failure AS f ON f.letter = d.id
JOIN envelope AS e ON e.id = f.envelope
GROUP BY chosen.turn, d.processor, f.envelope
ORDER BY chosen.turn, min(f.failed_at), min(f.id)
