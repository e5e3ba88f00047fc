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
told AS (
    SELECT t.id, t.kind, t.happened_at, t.recorded_at, t.actor, t.memo, t.reason, line.amount, line.owed, line.other,
        (SELECT posted FROM ledger_account WHERE id = ?1) - coalesce(sum(line.amount) OVER later, 0) AS posted,
        t.number, line.n
    FROM line
    CROSS JOIN ledger_transaction AS t ON t.id = line.transaction_id
    WINDOW later AS (ORDER BY t.number DESC, line.n DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT told.id, told.kind, told.happened_at, told.recorded_at, told.actor, told.memo, told.reason, told.amount,
    told.owed, told.posted, a.asset, a.owner_kind, a.owner, a.place
FROM told
LEFT JOIN ledger_account AS a ON a.id = told.other
ORDER BY told.number DESC, told.n DESC
LIMIT ?3
