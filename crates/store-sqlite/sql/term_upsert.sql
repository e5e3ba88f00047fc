INSERT INTO term (payment, starts, expires, ended_on, end_reason)
VALUES ((SELECT number FROM payment WHERE account = ? AND transaction_id = ?), ?, ?, ?, ?)
ON CONFLICT (payment) DO UPDATE SET
    starts = excluded.starts,
    expires = excluded.expires,
    ended_on = excluded.ended_on,
    end_reason = excluded.end_reason
