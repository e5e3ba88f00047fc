-- A letter whose newest envelope was pruned stays as it is, as in `dead_letter_replay`.
INSERT INTO outbox (envelope, processor, redecide)
SELECT f.envelope, d.processor, $2
FROM unnest($1::bigint[]) WITH ORDINALITY AS chosen (id, turn)
CROSS JOIN LATERAL (SELECT id, envelope, processor FROM dead_letter WHERE id = chosen.id LIMIT 1) AS d
CROSS JOIN LATERAL (SELECT 1 FROM envelope WHERE id = d.envelope LIMIT 1) AS newest
JOIN dead_letter_failure AS f ON f.letter = d.id
CROSS JOIN LATERAL (SELECT 1 FROM envelope WHERE id = f.envelope LIMIT 1) AS e
GROUP BY chosen.turn, d.processor, f.envelope
ORDER BY chosen.turn, min(f.failed_at), min(f.id)
