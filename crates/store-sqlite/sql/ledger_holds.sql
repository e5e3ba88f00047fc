-- Those named, and the open ones of these accounts that expire by then.
WITH chosen (id) AS (
    SELECT unhex(value) FROM json_each(?1)
    UNION
    SELECT d.id
    FROM json_each(?2) AS wanted
    CROSS JOIN hold AS d ON d.account = unhex(wanted.value ->> 0) AND d.expires_at <= wanted.value ->> 1
    WHERE d.state = 'open'
)
SELECT h.id, h.amount, h.state, h.settled, h.expires_at, a.asset, a.owner_kind, a.owner, a.place
FROM chosen
CROSS JOIN hold AS h ON h.id = chosen.id
CROSS JOIN ledger_account AS a ON a.id = h.account
