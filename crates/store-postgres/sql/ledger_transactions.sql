SELECT t.*, a.asset, a.owner_kind, a.owner, a.place
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM ledger_transaction WHERE id = wanted.id LIMIT 1) AS t
LEFT JOIN LATERAL (SELECT * FROM ledger_account WHERE id = t.account LIMIT 1) AS a ON true
