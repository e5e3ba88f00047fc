SELECT count(*) AS checked,
    coalesce(sum(alike > 1 OR NOT EXISTS (
        SELECT 1 FROM processed AS p
        WHERE p.processor = r.processor AND p.account = r.account AND p.event_key = r.event_key
            AND p.outcome = 'applied')), 0) AS broken
FROM (
    SELECT processor, account, event_key, count(*) OVER (PARTITION BY processor, account, event_key) AS alike
    FROM person
) AS r
