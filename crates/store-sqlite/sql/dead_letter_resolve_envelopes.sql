-- The key of such a letter names a request, not a fact. The newest envelope decides: what an older
-- one of the letter may still fail with reopens it.
UPDATE dead_letter SET state = 'resolved'
WHERE id IN (
    SELECT d.id
    FROM json_each(?2) AS settled
    CROSS JOIN dead_letter AS d INDEXED BY dead_letter_needs ON d.envelope = unhex(settled.value)
    WHERE d.state IN ('open', 'replaying')
        AND d.processor = ?1
        AND substr(d.event_key, 1, 6) = 'other:'
        AND (d.state = 'replaying' OR d.reason <> 'conflicting_duplicate')
)
