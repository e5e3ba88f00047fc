SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (SELECT 1 FROM envelope AS e WHERE e.id = o.envelope)), 0) AS broken
FROM outbox AS o
