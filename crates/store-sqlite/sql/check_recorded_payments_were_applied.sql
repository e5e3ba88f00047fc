SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (
        SELECT 1 FROM processed AS p
        WHERE p.id = e.fact AND p.account = e.account AND p.event_key = e.event_key AND p.outcome = 'applied')), 0)
        AS broken
FROM payment AS e
