-- In the order of ids, so that two who make the same ones wait for each other in one direction only.
-- (The offset keeps the planner from making a join of it.)
INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
SELECT id, asset, owner_kind, owner, place
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[])
    AS wanted (id, asset, owner_kind, owner, place)
WHERE NOT EXISTS (SELECT 1 FROM ledger_account AS a WHERE a.id = wanted.id OFFSET 0)
ORDER BY id
ON CONFLICT DO NOTHING
