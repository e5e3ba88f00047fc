-- A contradiction waits beside the fact that it contradicts; an ignored fact may have been decided
-- again and have failed.
SELECT count(*) AS checked,
    count(*) FILTER (WHERE EXISTS (
        SELECT 1 FROM processed AS p
        WHERE p.processor = d.processor AND p.account = d.account AND p.event_key = d.event_key
            AND p.outcome <> 'ignored' AND d.state = 'open' AND d.reason <> 'conflicting_duplicate')) AS broken
FROM dead_letter AS d
