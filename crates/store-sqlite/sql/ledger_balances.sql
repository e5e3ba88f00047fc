SELECT a.id, a.posted, a.held, a.version
FROM json_each(?1) AS wanted
CROSS JOIN ledger_account AS a ON a.id = unhex(wanted.value)
