SELECT count(*) AS checked,
    count(*) FILTER (WHERE t.outcome IS DISTINCT FROM 'applied' OR t.kind = 'hold') AS broken
FROM leg AS l
LEFT JOIN ledger_transaction AS t ON t.id = l.transaction_id
