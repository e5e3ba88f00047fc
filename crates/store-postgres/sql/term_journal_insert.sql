INSERT INTO term_journal
    (payment, starts, expires, ended_on, end_reason, was_starts, was_expires, was_ended_on, was_end_reason,
     fact, written_at)
SELECT (SELECT p.number FROM payment AS p WHERE p.account = r.account AND p.transaction_id = r.transaction_id),
    r.starts, r.expires, r.ended_on, r.end_reason, r.was_starts, r.was_expires, r.was_ended_on, r.was_end_reason,
    (SELECT f.id FROM processed AS f
     WHERE f.processor = $11 AND f.account = r.fact_account AND f.event_key = r.event_key), $14
FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::date[], $6::text[], $7::date[], $8::date[],
    $9::date[], $10::text[], $12::text[], $13::text[])
    WITH ORDINALITY AS r (account, transaction_id, starts, expires, ended_on, end_reason, was_starts, was_expires, was_ended_on,
        was_end_reason, fact_account, event_key, turn)
ORDER BY r.turn
