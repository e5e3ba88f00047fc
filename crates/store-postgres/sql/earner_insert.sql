-- In order, so that two who make the same ones wait for each other in one direction only.
-- (The offset keeps the planner from making a join of it.)
INSERT INTO earner (owner)
SELECT wanted.owner
FROM unnest($1::uuid[]) AS wanted (owner)
WHERE NOT EXISTS (SELECT 1 FROM earner AS e WHERE e.owner = wanted.owner OFFSET 0)
ORDER BY wanted.owner
ON CONFLICT DO NOTHING
