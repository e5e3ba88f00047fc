DELETE FROM envelope
WHERE id IN (
    SELECT e.id
    FROM envelope AS e
    WHERE e.received_at < $1
        AND NOT EXISTS (SELECT 1 FROM dead_letter AS d WHERE d.envelope = e.id AND d.state IN ('open', 'replaying'))
        AND NOT EXISTS (
            SELECT 1
            FROM dead_letter_failure AS f
            JOIN dead_letter AS d ON d.id = f.letter
            WHERE f.envelope = e.id AND d.state IN ('open', 'replaying'))
        AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.envelope = e.id)
    ORDER BY e.received_at
    LIMIT $2
)
