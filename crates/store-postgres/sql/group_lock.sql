-- Whoever changes a group holds this until the end, so that what a change was checked against still holds.
SELECT id, name, created_at FROM ledger_group WHERE id = $1 FOR NO KEY UPDATE
