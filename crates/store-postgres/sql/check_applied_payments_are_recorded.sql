SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM payment AS e WHERE e.fact = p.id)) AS broken
FROM processed AS p
WHERE p.outcome = 'applied' AND p.kind = 'payment_captured'
    AND NOT EXISTS (SELECT 1 FROM earning AS g WHERE g.fact = p.id)
