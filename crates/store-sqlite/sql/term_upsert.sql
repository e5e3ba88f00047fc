WITH new (account, transaction_id, starts, expires, ended_on, end_reason) AS (VALUES (?, ?, ?, ?, ?, ?))
INSERT INTO term (payment, starts, expires, ended_on, end_reason)
SELECT p.number, new.starts, new.expires, new.ended_on, new.end_reason
FROM new
CROSS JOIN payment AS p ON p.account = new.account AND p.transaction_id = new.transaction_id
WHERE true
ON CONFLICT (payment) DO UPDATE SET
    starts = excluded.starts,
    expires = excluded.expires,
    ended_on = excluded.ended_on,
    end_reason = excluded.end_reason
