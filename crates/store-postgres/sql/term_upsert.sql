INSERT INTO term (payment, starts, expires, ended_on, end_reason)
SELECT (SELECT p.number FROM payment AS p WHERE p.account = r.account AND p.transaction_id = r.transaction_id),
    r.starts, r.expires, r.ended_on, r.end_reason
FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::date[], $6::text[])
    AS r (account, transaction_id, starts, expires, ended_on, end_reason)
ON CONFLICT (payment) DO UPDATE SET
    starts = excluded.starts,
    expires = excluded.expires,
    ended_on = excluded.ended_on,
    end_reason = excluded.end_reason
