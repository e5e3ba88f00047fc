SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (
        SELECT 1 FROM payment AS e
        WHERE e.processor = p.processor AND e.account = p.account AND e.event_key = p.event_key)), 0) AS broken
FROM processed AS p
WHERE p.outcome = 'applied' AND p.kind = 'payment_captured'
