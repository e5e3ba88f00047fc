INSERT INTO lot
    (id, account, transaction_id, n, source, expires_at, amount, remaining, held, expired, lapsed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    remaining = excluded.remaining,
    held = excluded.held,
    expired = excluded.expired,
    lapsed = excluded.lapsed
