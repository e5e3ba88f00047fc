SELECT h.*, a.asset, a.owner_kind, a.owner, a.place
FROM hold AS h
CROSS JOIN LATERAL (SELECT number FROM ledger_transaction WHERE id = h.id LIMIT 1) AS t
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = h.account LIMIT 1) AS a
WHERE h.account = $1 AND h.state = 'open'
ORDER BY t.number
