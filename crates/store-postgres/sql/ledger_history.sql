-- $1 is the account with what is available, $2 the one with what is owed. The running balance is in
-- the order of recording; the filter comes after it.
WITH own AS (
    SELECT transaction_id, n FROM leg WHERE from_account IN ($1, $2)
    UNION
    SELECT transaction_id, n FROM leg WHERE to_account IN ($1, $2)
),
line AS (
    SELECT l.transaction_id, l.n,
        l.amount * CASE $1 WHEN l.to_account THEN 1 WHEN l.from_account THEN -1 ELSE 0 END AS amount,
        l.amount * CASE $2 WHEN l.from_account THEN 1 WHEN l.to_account THEN -1 ELSE 0 END AS owed,
        CASE WHEN l.from_account IN ($1, $2) THEN l.to_account ELSE l.from_account END AS other
    FROM own
    CROSS JOIN LATERAL (SELECT * FROM leg WHERE (transaction_id, n) = (own.transaction_id, own.n) LIMIT 1) AS l
    UNION ALL
    SELECT t.id, 0, 0, 0, NULL
    FROM ledger_transaction AS t
    WHERE t.account = $1 AND t.legs = 0
),
-- Held is what the first line of a transaction places or returns.
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
    SELECT *, (sum(amount) OVER earlier)::bigint AS posted, (sum(amount - held) OVER earlier)::bigint AS available
    FROM event
    WINDOW earlier AS (ORDER BY number, n)
)
SELECT told.*, a.asset, a.owner_kind, a.owner, a.place
FROM told
LEFT JOIN LATERAL (SELECT * FROM ledger_account WHERE id = told.other LIMIT 1) AS a ON true
WHERE ($3::timestamptz IS NULL OR told.happened_at >= $3) AND ($4::timestamptz IS NULL OR told.happened_at < $4)
ORDER BY told.number DESC, told.n DESC
LIMIT $5
