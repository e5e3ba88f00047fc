-- What is left of a lot is free, or pinned by an open hold.
WITH own AS (
    SELECT id FROM lot WHERE account = $2 AND remaining > held
    UNION
    SELECT p.lot
    FROM hold AS h
    CROSS JOIN LATERAL (SELECT lot FROM hold_pin WHERE hold = h.id OFFSET 0) AS p
    WHERE h.account = $2 AND h.state = 'open'
)
SELECT l.*, a.asset, a.owner_kind, a.owner, a.place
FROM own
CROSS JOIN LATERAL (SELECT * FROM lot WHERE id = own.id LIMIT 1) AS l
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = l.account LIMIT 1) AS a
WHERE $1::uuid IS NULL OR l.id > $1
ORDER BY l.id
LIMIT $3
