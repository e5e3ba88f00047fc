INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
VALUES (?, ?, ?, ?, ?)
