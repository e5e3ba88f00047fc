SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (SELECT 1 FROM earning AS e WHERE e.fact = p.id)), 0) AS broken
FROM processed AS p
WHERE p.outcome = 'applied' AND p.kind = 'member_registered'
