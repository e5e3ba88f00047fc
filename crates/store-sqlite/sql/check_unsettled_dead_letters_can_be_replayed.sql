SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (SELECT 1 FROM envelope AS e WHERE e.id = d.envelope)), 0) AS broken
FROM dead_letter AS d
WHERE d.state IN ('open', 'replaying')
