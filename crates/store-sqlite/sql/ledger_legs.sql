SELECT l.transaction_id, l.n, l.asset, l.amount, l.from_version, l.to_version, l.takes_back,
    f.owner_kind AS from_kind, f.owner AS from_owner, f.place AS from_place,
    t.owner_kind AS to_kind, t.owner AS to_owner, t.place AS to_place
FROM json_each(?1) AS wanted
CROSS JOIN leg AS l ON l.transaction_id = unhex(wanted.value)
CROSS JOIN ledger_account AS f ON f.id = l.from_account
CROSS JOIN ledger_account AS t ON t.id = l.to_account
ORDER BY l.transaction_id, l.n
