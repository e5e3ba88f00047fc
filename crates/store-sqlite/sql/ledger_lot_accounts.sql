SELECT l.id, a.asset, a.owner_kind, a.owner, a.place
FROM json_each(?1) AS wanted
CROSS JOIN lot AS l ON l.id = unhex(wanted.value)
CROSS JOIN ledger_account AS a ON a.id = l.account
