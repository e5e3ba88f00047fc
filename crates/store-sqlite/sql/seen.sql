SELECT p.account, p.event_key, p.outcome, p.digest
FROM json_each(?2) AS wanted
CROSS JOIN processed AS p
    ON p.processor = ?1 AND p.account = wanted.value ->> 0 AND p.event_key = wanted.value ->> 1
