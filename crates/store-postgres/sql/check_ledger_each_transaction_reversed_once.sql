SELECT count(*) AS checked,
    count(*) FILTER (WHERE r.time > 1 OR t.outcome IS DISTINCT FROM 'applied' OR t.kind NOT IN ('post', 'settle')) AS broken
FROM (
    SELECT reverses, row_number() OVER (PARTITION BY reverses ORDER BY number) AS time
    FROM ledger_transaction
    WHERE outcome = 'applied' AND reverses IS NOT NULL
) AS r
LEFT JOIN ledger_transaction AS t ON t.id = r.reverses
