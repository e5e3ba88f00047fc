-- A contradiction waits beside the fact that it contradicts; a replay may be on its way to decide
-- an ignored fact again.
SELECT count(*) AS checked,
    coalesce(sum(EXISTS (
        SELECT 1 FROM processed AS p
        WHERE p.processor = d.processor AND p.account = d.account AND p.event_key = d.event_key
            AND d.state = 'open' AND d.reason <> 'conflicting_duplicate')), 0) AS broken
FROM dead_letter AS d
