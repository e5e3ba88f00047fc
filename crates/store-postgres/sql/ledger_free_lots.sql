-- Of each account the lots with anything free, soonest first: all that expire by `due_by`, and after
-- them as many as it takes to have `up_to` free. One step a lot, so that whoever spends little from
-- an account of many lots reads few.
WITH RECURSIVE walk AS (
    SELECT need.account, need.due_by, need.up_to, l.id, l.expires_at,
        CASE WHEN l.expires_at > need.due_by THEN l.remaining - l.held ELSE 0 END AS beyond
    FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) AS need (account, due_by, up_to)
    CROSS JOIN LATERAL (
        SELECT *
        FROM lot
        WHERE account = need.account AND remaining > held
        ORDER BY account, expires_at, id
        LIMIT 1
    ) AS l
    WHERE l.expires_at <= need.due_by OR need.up_to > 0
    UNION ALL
    SELECT w.account, w.due_by, w.up_to, l.id, l.expires_at,
        w.beyond + CASE WHEN l.expires_at > w.due_by THEN l.remaining - l.held ELSE 0 END
    FROM walk AS w
    CROSS JOIN LATERAL (
        SELECT *
        FROM lot
        WHERE account = w.account AND remaining > held AND (expires_at, id) > (w.expires_at, w.id)
        ORDER BY account, expires_at, id
        LIMIT 1
    ) AS l
    WHERE l.expires_at <= w.due_by OR w.beyond < w.up_to
)
SELECT l.*, a.asset, a.owner_kind, a.owner, a.place
FROM walk
CROSS JOIN LATERAL (SELECT * FROM lot WHERE id = walk.id LIMIT 1) AS l
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = l.account LIMIT 1) AS a
