-- ?1 is the account with what is available, ?2 the one with what is owed. The running balance is in
-- the order of recording; the filter comes after it.
WITH own (transaction_id, n) AS (
    SELECT transaction_id, n FROM leg WHERE from_account IN (?1, ?2)
    UNION
    SELECT transaction_id, n FROM leg WHERE to_account IN (?1, ?2)
),
line (transaction_id, n, amount, owed, other) AS (
    SELECT l.transaction_id, l.n,
        l.amount * ((l.to_account = ?1) - (l.from_account = ?1)),
        l.amount * ((l.from_account = ?2) - (l.to_account = ?2)),
        iif(l.from_account IN (?1, ?2), l.to_account, l.from_account)
    FROM own
    CROSS JOIN leg AS l ON l.transaction_id = own.transaction_id AND l.n = own.n
    UNION ALL
    SELECT t.id, 0, 0, 0, NULL
    FROM ledger_transaction AS t
    WHERE t.account = ?1 AND t.legs = 0
),
-- Held is what the first line of a transaction places or returns.
event AS (
    SELECT t.number, line.n, t.id, t.kind, t.happened_at, t.recorded_at, t.actor, t.memo, t.reason, t.detail,
        line.amount, line.owed, line.other, h.id AS hold,
        iif(h.id IS NULL OR t.outcome <> 'applied' OR line.n > 0, 0, iif(t.kind = 'hold', h.amount, -h.amount)) AS held
    FROM line
    CROSS JOIN ledger_transaction AS t ON t.id = line.transaction_id
    LEFT JOIN hold AS h ON h.id = iif(t.kind = 'hold', t.id, t.hold) AND h.account = ?1
),
told AS (
    SELECT *, sum(amount) OVER earlier AS posted, sum(amount - held) OVER earlier AS available
    FROM event
    WINDOW earlier AS (ORDER BY number, n)
)
SELECT told.id, told.kind, told.happened_at, told.recorded_at, told.actor, told.memo, told.reason, told.detail,
    told.amount, told.owed, told.posted, told.hold, told.held, told.available, a.asset, a.owner_kind, a.owner, a.place
FROM told
LEFT JOIN ledger_account AS a ON a.id = told.other
WHERE (?3 IS NULL OR told.happened_at >= ?3) AND (?4 IS NULL OR told.happened_at < ?4)
ORDER BY told.number DESC, told.n DESC
LIMIT ?5
