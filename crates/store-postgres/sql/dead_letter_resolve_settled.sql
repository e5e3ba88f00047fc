UPDATE dead_letter SET state = 'resolved'
WHERE id IN (
    SELECT d.id
    FROM unnest($1::text[], $2::text[], $3::text[]) AS kept (processor, account, event_key)
    JOIN dead_letter AS d
        ON d.processor = kept.processor AND d.account = kept.account AND d.event_key = kept.event_key
    JOIN processed AS p
        ON p.processor = d.processor AND p.account = d.account AND p.event_key = d.event_key
    WHERE d.reason <> 'conflicting_duplicate' AND p.outcome <> 'ignored'
)
