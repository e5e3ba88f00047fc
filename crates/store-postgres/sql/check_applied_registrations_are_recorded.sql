SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM earning AS e WHERE e.fact = p.id)) AS broken
FROM processed AS p
WHERE p.outcome = 'applied' AND p.kind = 'member_registered'
