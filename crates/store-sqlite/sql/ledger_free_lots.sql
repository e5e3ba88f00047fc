-- Of each account the lots with anything free, soonest first: all that expire by `due_by`, and after
-- them as many as it takes to have `up_to` free. One step a lot, so that whoever spends little from
-- an account of many lots reads few.
WITH RECURSIVE wanted (account, due_by, up_to) AS (
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?1)
),
walk (account, due_by, up_to, lot, id, expires_at, beyond) AS (
    SELECT wanted.account, wanted.due_by, wanted.up_to, l.rowid, l.id, l.expires_at,
        (l.expires_at > wanted.due_by) * (l.remaining - l.held)
    FROM wanted
    CROSS JOIN lot AS l ON l.rowid = (
        SELECT f.rowid FROM lot AS f INDEXED BY lot_soonest
        WHERE f.account = wanted.account AND f.remaining > f.held
        ORDER BY f.expires_at, f.id
        LIMIT 1)
    WHERE l.expires_at <= wanted.due_by OR wanted.up_to > 0
    UNION ALL
    SELECT walk.account, walk.due_by, walk.up_to, l.rowid, l.id, l.expires_at,
        walk.beyond + (l.expires_at > walk.due_by) * (l.remaining - l.held)
    FROM walk
    CROSS JOIN lot AS l ON l.rowid = (
        SELECT f.rowid FROM lot AS f INDEXED BY lot_soonest
        WHERE f.account = walk.account AND f.remaining > f.held AND (f.expires_at, f.id) > (walk.expires_at, walk.id)
        ORDER BY f.expires_at, f.id
        LIMIT 1)
    WHERE l.expires_at <= walk.due_by OR walk.beyond < walk.up_to
)
SELECT l.id, l.transaction_id, l.n, l.source, l.expires_at, l.amount, l.remaining, l.held, l.expired, l.lapsed,
    a.asset, a.owner_kind, a.owner, a.place
FROM walk
CROSS JOIN lot AS l ON l.rowid = walk.lot
CROSS JOIN ledger_account AS a ON a.id = l.account
