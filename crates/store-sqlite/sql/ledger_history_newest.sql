-- As `ledger_history` without its filter, for whoever asks for few rows of a long history: the running
-- balance is reckoned back from what the account has now.
WITH newest (transaction_id, n) AS (
    SELECT * FROM (SELECT transaction_id, n FROM leg WHERE from_account = ?1 ORDER BY from_version DESC LIMIT ?3)
    UNION
    SELECT * FROM (SELECT transaction_id, n FROM leg WHERE to_account = ?1 ORDER BY to_version DESC LIMIT ?3)
    UNION
    SELECT * FROM (SELECT transaction_id, n FROM leg WHERE from_account = ?2 ORDER BY from_version DESC LIMIT ?3)
    UNION
    SELECT * FROM (SELECT transaction_id, n FROM leg WHERE to_account = ?2 ORDER BY to_version DESC LIMIT ?3)
),
line (transaction_id, n, amount, owed, other) AS (
    SELECT l.transaction_id, l.n,
        l.amount * ((l.to_account = ?1) - (l.from_account = ?1)),
        l.amount * ((l.from_account = ?2) - (l.to_account = ?2)),
        iif(l.from_account IN (?1, ?2), l.to_account, l.from_account)
    FROM newest
    CROSS JOIN leg AS l ON l.transaction_id = newest.transaction_id AND l.n = newest.n
    UNION ALL
    SELECT *
    FROM (
        SELECT t.id, 0, 0, 0, NULL
        FROM ledger_transaction AS t
        WHERE t.account = ?1 AND t.legs = 0
        ORDER BY t.number DESC
        LIMIT ?3)
),
event AS (
    SELECT t.number, line.n, t.id, t.kind, t.happened_at, t.recorded_at, t.actor, t.memo, t.reason, t.detail,
        line.amount, line.owed, line.other, h.id AS hold,
        iif(h.id IS NULL OR t.outcome <> 'applied' OR line.n > 0, 0, iif(t.kind = 'hold', h.amount, -h.amount)) AS held
    FROM line
    CROSS JOIN ledger_transaction AS t ON t.id = line.transaction_id
    LEFT JOIN hold AS h ON h.id = iif(t.kind = 'hold', t.id, t.hold) AND h.account = ?1
),
told AS (
    SELECT *,
        (SELECT posted FROM ledger_account WHERE id = ?1) - coalesce(sum(amount) OVER later, 0) AS posted,
        (SELECT posted - held FROM ledger_account WHERE id = ?1) - coalesce(sum(amount - held) OVER later, 0)
            AS available
    FROM event
    WINDOW later AS (ORDER BY number DESC, n DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT told.id, told.kind, told.happened_at, told.recorded_at, told.actor, told.memo, told.reason, told.detail,
    told.amount, told.owed, told.posted, told.hold, told.held, told.available, a.asset, a.owner_kind, a.owner, a.place
FROM told
LEFT JOIN ledger_account AS a ON a.id = told.other
ORDER BY told.number DESC, told.n DESC
LIMIT ?3
