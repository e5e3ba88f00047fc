SELECT h.id, a.asset, a.owner_kind, a.owner, a.place
FROM json_each(?1) AS wanted
CROSS JOIN hold AS h ON h.id = unhex(wanted.value)
CROSS JOIN ledger_account AS a ON a.id = h.account
