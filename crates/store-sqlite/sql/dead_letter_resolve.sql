-- An open contradiction is not resolved by the fact that it contradicts.
UPDATE dead_letter SET state = 'resolved'
WHERE id IN (
    SELECT d.id
    FROM json_each(?2) AS settled
    CROSS JOIN dead_letter AS d INDEXED BY dead_letter_unsettled
        ON d.processor = ?1 AND d.account = settled.value ->> 0 AND d.event_key = settled.value ->> 1
    WHERE d.state IN ('open', 'replaying')
        AND (d.state = 'replaying' OR d.reason <> 'conflicting_duplicate')
)
