SELECT count(*) AS checked,
    count(*) FILTER (
        WHERE r.time > 1
            OR t.outcome IS DISTINCT FROM 'applied'
            OR t.kind NOT IN ('post', 'settle')
            OR EXISTS (
                SELECT 1 FROM leg AS l
                WHERE l.takes_back = r.reverses AND NOT EXISTS (
                    SELECT 1 FROM ledger_transaction AS u
                    WHERE u.reverses = l.transaction_id AND u.outcome = 'applied'))
    ) AS broken
FROM (
    SELECT reverses, row_number() OVER (PARTITION BY reverses ORDER BY number) AS time
    FROM ledger_transaction
    WHERE outcome = 'applied' AND reverses IS NOT NULL
) AS r
LEFT JOIN ledger_transaction AS t ON t.id = r.reverses
