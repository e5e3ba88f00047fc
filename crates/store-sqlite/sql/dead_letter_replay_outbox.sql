INSERT INTO outbox (envelope, processor, redecide)
SELECT d.envelope, d.processor, ?2
FROM json_each(?1) AS chosen
CROSS JOIN dead_letter AS d ON d.id = chosen.value
CROSS JOIN envelope AS e ON e.id = d.envelope
ORDER BY chosen.key
