-- A letter whose newest envelope was pruned stays as it is, as in `dead_letter_replay`.
INSERT INTO outbox (envelope, processor, redecide)
SELECT f.envelope, d.processor, ?2
FROM json_each(?1) AS chosen
CROSS JOIN dead_letter AS d ON d.id = chosen.value
CROSS JOIN envelope AS newest ON newest.id = d.envelope
CROSS JOIN dead_letter_failure AS f ON f.letter = d.id
CROSS JOIN envelope AS e ON e.id = f.envelope
GROUP BY chosen.key, d.processor, f.envelope
ORDER BY chosen.key, min(f.failed_at), min(f.id)
