SELECT id, name, created_at FROM ledger_group WHERE id = $1
