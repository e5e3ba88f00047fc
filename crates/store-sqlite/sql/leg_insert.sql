INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, from_version, to_version, takes_back)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
