SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM envelope AS e WHERE e.id = d.envelope)) AS broken
FROM dead_letter AS d
WHERE d.state IN ('open', 'replaying')
