-- What is left of a lot is free, or pinned by an open hold.
WITH own (id) AS (
    SELECT f.id FROM lot AS f WHERE f.account = ?2 AND f.remaining > f.held
    UNION
    SELECT p.lot
    FROM hold AS h
    CROSS JOIN hold_pin AS p ON p.hold = h.id
    WHERE h.account = ?2 AND h.state = 'open'
)
SELECT l.id, l.transaction_id, l.n, l.source, l.expires_at, l.amount, l.remaining, l.held, l.expired, l.lapsed,
    a.asset, a.owner_kind, a.owner, a.place
FROM own
CROSS JOIN lot AS l ON l.id = own.id
CROSS JOIN ledger_account AS a ON a.id = l.account
WHERE l.id > ?1
ORDER BY l.id
LIMIT ?3
