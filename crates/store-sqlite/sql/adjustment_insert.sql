INSERT INTO adjustment (fact, payment, kind, cumulative_minor, happened_at, happened_on)
VALUES ((SELECT id FROM processed WHERE processor = ? AND account = ? AND event_key = ?),
    (SELECT number FROM payment WHERE account = ? AND transaction_id = ?), ?, ?, ?, ?)
