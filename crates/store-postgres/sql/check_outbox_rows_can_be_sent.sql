SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM envelope AS e WHERE e.id = o.envelope)) AS broken
FROM outbox AS o
