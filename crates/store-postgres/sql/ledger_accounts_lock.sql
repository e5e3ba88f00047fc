SELECT a.id, a.posted, a.held, a.version
FROM ledger_account AS a
WHERE a.id = ANY ($1::uuid[])
ORDER BY a.id
FOR NO KEY UPDATE
