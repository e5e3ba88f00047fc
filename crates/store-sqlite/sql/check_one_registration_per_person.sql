SELECT count(*) AS checked,
    coalesce(sum(alike > 1 OR NOT EXISTS (
        SELECT 1 FROM processed AS p WHERE p.id = r.fact AND p.outcome = 'applied')), 0) AS broken
FROM (SELECT fact, count(*) OVER (PARTITION BY fact) AS alike FROM person) AS r
