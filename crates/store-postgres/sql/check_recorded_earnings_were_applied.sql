SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM processed AS p WHERE p.id = e.fact AND p.outcome = 'applied')) AS broken
FROM earning AS e
