SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM processed AS p
        WHERE p.id = e.fact AND p.account = e.account AND p.event_key = e.event_key AND p.outcome = 'applied'))
        AS broken
FROM payment AS e
