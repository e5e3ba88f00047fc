-- An open contradiction is not resolved by the fact that it contradicts, and what failed when an
-- ignored fact was decided again not by a duplicate of the ignored one.
WITH standing AS (
    SELECT d.id
    FROM unnest($2::text[], $3::text[], $4::boolean[]) AS settled (account, event_key, duplicate)
    JOIN dead_letter AS d
        ON d.processor = $1 AND d.account = settled.account AND d.event_key = settled.event_key
    WHERE d.state IN ('open', 'replaying')
        AND (d.state = 'replaying'
            OR (d.reason <> 'conflicting_duplicate'
                AND NOT (settled.duplicate AND EXISTS (
                    SELECT 1 FROM processed AS p
                    WHERE p.processor = d.processor AND p.account = d.account AND p.event_key = d.event_key
                        AND p.outcome = 'ignored'))))
    ORDER BY d.id
    FOR NO KEY UPDATE OF d
)
UPDATE dead_letter SET state = 'resolved' WHERE id IN (SELECT id FROM standing)
