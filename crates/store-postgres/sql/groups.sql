SELECT id, name, created_at FROM ledger_group ORDER BY name, id
