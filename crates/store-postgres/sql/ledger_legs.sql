SELECT l.transaction_id, l.n, l.asset, l.amount, l.from_version, l.to_version, l.takes_back,
    f.owner_kind AS from_kind, f.owner AS from_owner, f.place AS from_place,
    t.owner_kind AS to_kind, t.owner AS to_owner, t.place AS to_place
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM leg WHERE transaction_id = wanted.id OFFSET 0) AS l
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = l.from_account LIMIT 1) AS f
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = l.to_account LIMIT 1) AS t
ORDER BY l.transaction_id, l.n
