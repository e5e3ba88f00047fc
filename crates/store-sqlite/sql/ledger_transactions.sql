SELECT t.id, t.kind, t.digest, t.outcome, t.reason, t.detail, t.hold, t.lot, t.reverses, t.actor, t.memo, t.happened_at,
    t.left_posted, t.left_held, a.asset, a.owner_kind, a.owner, a.place
FROM json_each(?1) AS wanted
CROSS JOIN ledger_transaction AS t ON t.id = unhex(wanted.value)
LEFT JOIN ledger_account AS a ON a.id = t.account
