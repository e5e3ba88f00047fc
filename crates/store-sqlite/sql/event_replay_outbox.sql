INSERT INTO outbox (envelope, processor, redecide)
SELECT e.id, chosen.value ->> 0, ?2
FROM json_each(?1) AS chosen
CROSS JOIN envelope AS e ON e.id = unhex(chosen.value ->> 1)
ORDER BY chosen.key
