-- In the order of ids, so that two who make the same ones wait for each other in one direction only.
INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
SELECT id, asset, owner_kind, owner, place
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[])
    AS wanted (id, asset, owner_kind, owner, place)
WHERE id NOT IN (SELECT a.id FROM ledger_account AS a WHERE a.id = ANY ($1::uuid[]))
ORDER BY id
ON CONFLICT DO NOTHING
