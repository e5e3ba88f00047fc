INSERT INTO term_journal
    (payment, starts, expires, ended_on, end_reason, was_starts, was_expires, was_ended_on, was_end_reason,
     fact, written_at)
VALUES ((SELECT number FROM payment WHERE account = ? AND transaction_id = ?), ?, ?, ?, ?, ?, ?, ?, ?,
    (SELECT id FROM processed WHERE processor = ? AND account = ? AND event_key = ?), ?)
