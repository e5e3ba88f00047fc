-- Afterwards nothing of it is free.
WITH booked (lot, times) AS (
    SELECT lot, count(*) FROM ledger_transaction WHERE lot IS NOT NULL GROUP BY lot
)
SELECT count(*) AS checked,
    count(*) FILTER (WHERE l.id IS NULL OR CASE WHEN l.lapsed
        THEN b.times IS DISTINCT FROM 1 OR l.remaining <> l.held
        ELSE b.lot IS NOT NULL END) AS broken
FROM lot AS l
FULL JOIN booked AS b ON b.lot = l.id
