-- An open contradiction is not resolved by the fact that it contradicts, and what failed when an
-- ignored fact was decided again not by a duplicate of the ignored one.
UPDATE dead_letter SET state = 'resolved'
WHERE id = ANY (ARRAY(
    SELECT d.id
    FROM dead_letter AS d
    WHERE d.id = ANY (ARRAY(
            SELECT named.id
            FROM unnest($2::text[], $3::text[], $4::boolean[]) AS settled (account, event_key, duplicate)
            CROSS JOIN LATERAL (
                SELECT id, state, reason
                FROM dead_letter
                WHERE processor = $1 AND account = settled.account AND event_key = settled.event_key
                    AND state IN ('open', 'replaying')
                LIMIT 1
            ) AS named
            WHERE named.state = 'replaying'
                OR NOT (settled.duplicate AND EXISTS (
                    SELECT 1
                    FROM processed AS p
                    WHERE p.processor = $1 AND p.account = settled.account AND p.event_key = settled.event_key
                        AND p.outcome = 'ignored'))
        ))
        AND d.state IN ('open', 'replaying')
        AND (d.state = 'replaying' OR d.reason <> 'conflicting_duplicate')
    ORDER BY d.id
    FOR NO KEY UPDATE OF d
))
