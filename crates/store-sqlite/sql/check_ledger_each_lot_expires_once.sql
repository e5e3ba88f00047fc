-- Afterwards nothing of it is free.
WITH booked (lot, times) AS (
    SELECT lot, count(*) FROM ledger_transaction WHERE lot IS NOT NULL GROUP BY lot
)
SELECT sum(checked) AS checked, sum(broken) AS broken
FROM (
    SELECT count(*) AS checked,
        count(*) FILTER (WHERE CASE WHEN l.lapsed
            THEN b.times IS DISTINCT FROM 1 OR l.remaining <> l.held
            ELSE b.lot IS NOT NULL END) AS broken
    FROM lot AS l
    LEFT JOIN booked AS b ON b.lot = l.id
    UNION ALL
    SELECT count(*), count(*) FROM booked AS b WHERE NOT EXISTS (SELECT 1 FROM lot AS l WHERE l.id = b.lot)
)
