SELECT l.*, a.asset, a.owner_kind, a.owner, a.place
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM lot WHERE id = wanted.id LIMIT 1) AS l
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = l.account LIMIT 1) AS a
