SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (SELECT 1 FROM processed AS p WHERE p.id = e.fact AND p.outcome = 'applied')), 0) AS broken
FROM earning AS e
