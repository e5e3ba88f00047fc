INSERT INTO ledger_transaction
    (id, kind, digest, outcome, reason, detail, hold, lot, reverses, actor, memo, happened_at, recorded_at, legs,
     account, left_posted, left_held)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
