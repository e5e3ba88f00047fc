-- Each movement has a leg of the lot's account. What expired may be taken back from there.
WITH moved (lot, amount, expired, broken) AS (
    SELECT m.lot, m.amount, CASE WHEN 'expired' IN (f.place, t.place) THEN -m.amount ELSE 0 END,
        l.transaction_id IS NULL
            OR o.account IS DISTINCT FROM CASE WHEN m.amount > 0 THEN l.to_account ELSE l.from_account END
    FROM lot_movement AS m
    LEFT JOIN leg AS l ON l.transaction_id = m.transaction_id AND l.n = m.n
    LEFT JOIN ledger_account AS f ON f.id = l.from_account
    LEFT JOIN ledger_account AS t ON t.id = l.to_account
    LEFT JOIN lot AS o ON o.id = m.lot
),
summed (lot, remaining, expired) AS (
    SELECT lot, sum(amount), sum(expired) FROM moved GROUP BY lot
)
SELECT sum(checked)::bigint AS checked, sum(broken)::bigint AS broken
FROM (
    SELECT count(*) AS checked, count(*) FILTER (WHERE broken) AS broken FROM moved
    UNION ALL
    SELECT count(*),
        count(*) FILTER (WHERE s.remaining IS DISTINCT FROM o.remaining OR s.expired IS DISTINCT FROM o.expired
            OR o.remaining < 0 OR o.expired < 0 OR o.remaining + o.expired > o.amount)
    FROM lot AS o
    LEFT JOIN summed AS s ON s.lot = o.id
) AS part
