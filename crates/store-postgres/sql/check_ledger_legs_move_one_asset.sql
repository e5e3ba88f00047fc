SELECT count(*) AS checked,
    count(*) FILTER (WHERE l.amount <= 0 OR l.from_account = l.to_account
        OR f.asset IS DISTINCT FROM l.asset OR t.asset IS DISTINCT FROM l.asset) AS broken
FROM leg AS l
LEFT JOIN ledger_account AS f ON f.id = l.from_account
LEFT JOIN ledger_account AS t ON t.id = l.to_account
