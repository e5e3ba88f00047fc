SELECT count(*) AS checked,
    count(*) FILTER (WHERE alike > 1 OR NOT EXISTS (
        SELECT 1 FROM processed AS p WHERE p.id = r.fact AND p.outcome = 'applied')) AS broken
FROM (SELECT fact, count(*) OVER (PARTITION BY fact) AS alike FROM person) AS r
