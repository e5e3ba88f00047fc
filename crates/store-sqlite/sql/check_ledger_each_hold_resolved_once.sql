-- An open hold has no resolution, any other the one that its state tells, and what was settled left.
WITH resolution (hold, times, kind, spent) AS (
    SELECT t.hold, count(*), min(t.kind), sum((
        SELECT coalesce(sum(l.amount), 0)
        FROM leg AS l
        LEFT JOIN ledger_account AS a ON a.id = l.to_account
        WHERE l.transaction_id = t.id AND a.place IS DISTINCT FROM 'expired'))
    FROM ledger_transaction AS t
    WHERE t.outcome = 'applied' AND t.hold IS NOT NULL
    GROUP BY t.hold
)
SELECT sum(checked) AS checked, sum(broken) AS broken
FROM (
    SELECT count(*) AS checked,
        count(*) FILTER (WHERE CASE h.state
            WHEN 'open' THEN r.hold IS NOT NULL OR h.settled <> 0
            ELSE r.times IS DISTINCT FROM 1 OR r.spent <> h.settled OR h.settled > h.amount
                OR (r.kind, h.state) NOT IN (VALUES ('settle', 'settled'), ('void', 'voided'), ('expire', 'expired'))
            END) AS broken
    FROM hold AS h
    LEFT JOIN resolution AS r ON r.hold = h.id
    UNION ALL
    SELECT count(*), count(*) FROM resolution AS r WHERE NOT EXISTS (SELECT 1 FROM hold AS h WHERE h.id = r.hold)
)
