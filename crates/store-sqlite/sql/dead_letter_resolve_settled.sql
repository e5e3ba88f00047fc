UPDATE dead_letter SET state = 'resolved'
WHERE id IN (
    SELECT d.id
    FROM json_each(?1) AS kept
    CROSS JOIN dead_letter AS d
        ON d.processor = kept.value ->> 0 AND d.account = kept.value ->> 1 AND d.event_key = kept.value ->> 2
    CROSS JOIN processed AS p
        ON p.processor = d.processor AND p.account = d.account AND p.event_key = d.event_key
    WHERE d.reason <> 'conflicting_duplicate' AND p.outcome <> 'ignored'
)
