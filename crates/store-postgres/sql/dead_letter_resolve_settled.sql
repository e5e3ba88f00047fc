UPDATE dead_letter SET state = 'resolved'
WHERE id = ANY (ARRAY(
    SELECT d.id
    FROM unnest($1::text[], $2::text[], $3::text[]) AS kept (processor, account, event_key)
    CROSS JOIN LATERAL (
        SELECT id
        FROM dead_letter
        WHERE processor = kept.processor AND account = kept.account AND event_key = kept.event_key
            AND reason <> 'conflicting_duplicate'
        LIMIT 1
    ) AS d
    CROSS JOIN LATERAL (
        SELECT 1
        FROM processed
        WHERE processor = kept.processor AND account = kept.account AND event_key = kept.event_key
            AND outcome <> 'ignored'
        LIMIT 1
    ) AS p
))
