-- A key `other:…` names a request, not a fact: what a better translation found in it has keys of
-- its own.
SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM processed AS p
        WHERE p.processor = d.processor AND p.account = d.account AND p.event_key = d.event_key)) AS broken
FROM dead_letter AS d
WHERE d.state = 'resolved' AND NOT starts_with(d.event_key, 'other:')
