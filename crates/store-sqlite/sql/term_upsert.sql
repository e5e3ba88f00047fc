INSERT INTO term (account, transaction_id, person, starts, expires, ended_on, end_reason)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, transaction_id) DO UPDATE SET
    person = excluded.person,
    starts = excluded.starts,
    expires = excluded.expires,
    ended_on = excluded.ended_on,
    end_reason = excluded.end_reason
