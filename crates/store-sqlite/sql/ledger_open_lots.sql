-- Of all owners.
SELECT l.id, l.transaction_id, l.n, l.source, l.expires_at, l.amount, l.remaining, l.held, l.expired, l.lapsed,
    a.asset, a.owner_kind, a.owner, a.place
FROM lot AS l
CROSS JOIN ledger_account AS a ON a.id = l.account
WHERE l.id > ?1 AND l.remaining > 0 AND a.asset = ?2
ORDER BY l.id
LIMIT ?3
