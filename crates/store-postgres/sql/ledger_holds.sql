-- Those named, and the open ones of these accounts that expire by then.
SELECT h.*, a.asset, a.owner_kind, a.owner, a.place
FROM (
    SELECT unnest($1::uuid[]) AS id
    UNION
    SELECT d.id
    FROM unnest($2::uuid[], $3::timestamptz[]) AS need (account, due_by)
    CROSS JOIN LATERAL (
        SELECT id FROM hold WHERE account = need.account AND state = 'open' AND expires_at <= need.due_by OFFSET 0
    ) AS d
) AS wanted
CROSS JOIN LATERAL (SELECT * FROM hold WHERE id = wanted.id LIMIT 1) AS h
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = h.account LIMIT 1) AS a
