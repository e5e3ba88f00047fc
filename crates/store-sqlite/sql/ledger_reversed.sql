SELECT t.reverses
FROM json_each(?1) AS wanted
CROSS JOIN ledger_transaction AS t ON t.reverses = unhex(wanted.value)
WHERE t.outcome = 'applied' AND t.reverses IS NOT NULL
