INSERT INTO term_journal
    (account, transaction_id, starts, expires, ended_on, end_reason,
     was_starts, was_expires, was_ended_on, was_end_reason, processor, event_account, event_key, written_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
