SELECT h.id, h.amount, h.state, h.settled, h.expires_at, a.asset, a.owner_kind, a.owner, a.place
FROM hold AS h
CROSS JOIN ledger_transaction AS t ON t.id = h.id
CROSS JOIN ledger_account AS a ON a.id = h.account
WHERE h.account = ?1 AND h.state = 'open'
ORDER BY t.number
