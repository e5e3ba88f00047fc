-- An open contradiction is not resolved by the fact that it contradicts, and what failed when an
-- ignored fact was decided again not by a duplicate of the ignored one.
UPDATE dead_letter SET state = 'resolved'
WHERE id IN (
    SELECT d.id
    FROM json_each(?2) AS settled
    CROSS JOIN dead_letter AS d INDEXED BY dead_letter_unsettled
        ON d.processor = ?1 AND d.account = settled.value ->> 0 AND d.event_key = settled.value ->> 1
    WHERE d.state IN ('open', 'replaying')
        AND (d.state = 'replaying'
            OR (d.reason <> 'conflicting_duplicate'
                AND NOT (settled.value ->> 2 AND EXISTS (
                    SELECT 1 FROM processed AS p
                    WHERE p.processor = d.processor AND p.account = d.account AND p.event_key = d.event_key
                        AND p.outcome = 'ignored'))))
)
