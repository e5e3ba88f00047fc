-- As `ledger_history` without its filter, for whoever asks for few rows of a long history: the running
-- balance is reckoned back from what the account has now.
WITH newest AS (
    (SELECT transaction_id, n FROM leg WHERE from_account = $1 ORDER BY from_version DESC LIMIT $3)
    UNION
    (SELECT transaction_id, n FROM leg WHERE to_account = $1 ORDER BY to_version DESC LIMIT $3)
    UNION
    (SELECT transaction_id, n FROM leg WHERE from_account = $2 ORDER BY from_version DESC LIMIT $3)
    UNION
    (SELECT transaction_id, n FROM leg WHERE to_account = $2 ORDER BY to_version DESC LIMIT $3)
),
line AS (
    SELECT l.transaction_id, l.n,
        l.amount * CASE $1 WHEN l.to_account THEN 1 WHEN l.from_account THEN -1 ELSE 0 END AS amount,
        l.amount * CASE $2 WHEN l.from_account THEN 1 WHEN l.to_account THEN -1 ELSE 0 END AS owed,
        CASE WHEN l.from_account IN ($1, $2) THEN l.to_account ELSE l.from_account END AS other
    FROM newest
    CROSS JOIN LATERAL (SELECT * FROM leg WHERE (transaction_id, n) = (newest.transaction_id, newest.n) LIMIT 1) AS l
    UNION ALL
    (SELECT id, 0, 0, 0, NULL FROM ledger_transaction WHERE account = $1 AND legs = 0 ORDER BY number DESC LIMIT $3)
),
event AS (
    SELECT t.number, line.n, t.id, t.kind, t.happened_at, t.recorded_at, t.actor, t.memo, t.reason, t.detail,
        line.amount, line.owed, line.other, h.id AS hold,
        CASE
            WHEN h.id IS NULL OR t.outcome <> 'applied' OR line.n > 0 THEN 0
            WHEN t.kind = 'hold' THEN h.amount
            ELSE -h.amount
        END AS held
    FROM line
    CROSS JOIN LATERAL (SELECT * FROM ledger_transaction WHERE id = line.transaction_id LIMIT 1) AS t
    LEFT JOIN LATERAL (
        SELECT * FROM hold WHERE id = CASE t.kind WHEN 'hold' THEN t.id ELSE t.hold END AND account = $1 LIMIT 1
    ) AS h ON true
),
told AS (
    SELECT *,
        ((SELECT posted FROM ledger_account WHERE id = $1) - coalesce(sum(amount) OVER later, 0))::bigint AS posted,
        ((SELECT posted - held FROM ledger_account WHERE id = $1)
            - coalesce(sum(amount - held) OVER later, 0))::bigint AS available
    FROM event
    WINDOW later AS (ORDER BY number DESC, n DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT told.*, a.asset, a.owner_kind, a.owner, a.place
FROM told
LEFT JOIN LATERAL (SELECT * FROM ledger_account WHERE id = told.other LIMIT 1) AS a ON true
ORDER BY told.number DESC, told.n DESC
LIMIT $3
