-- Of all owners.
SELECT l.*, a.asset, a.owner_kind, a.owner, a.place
FROM lot AS l
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = l.account LIMIT 1) AS a
WHERE ($1::uuid IS NULL OR l.id > $1) AND l.remaining > 0 AND a.asset = $2
ORDER BY l.id
LIMIT $3
