-- The key of such a letter names a request, not a fact. The newest envelope decides: what an older
-- one of the letter may still fail with reopens it.
WITH standing AS (
    SELECT d.id
    FROM unnest($2::uuid[]) AS settled (envelope)
    JOIN dead_letter AS d ON d.envelope = settled.envelope
    WHERE d.state IN ('open', 'replaying')
        AND d.processor = $1
        AND starts_with(d.event_key, 'other:')
        AND (d.state = 'replaying' OR d.reason <> 'conflicting_duplicate')
    ORDER BY d.id
    FOR NO KEY UPDATE OF d
)
UPDATE dead_letter SET state = 'resolved' WHERE id IN (SELECT id FROM standing)
