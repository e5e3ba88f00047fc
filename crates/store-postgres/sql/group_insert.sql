INSERT INTO ledger_group (id, name, created_at)
VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
