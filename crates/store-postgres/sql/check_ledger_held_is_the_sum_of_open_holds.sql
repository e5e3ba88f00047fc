WITH summed (account, held) AS (
    SELECT account, sum(amount) FROM hold WHERE state = 'open' GROUP BY account
)
SELECT count(*) AS checked, count(*) FILTER (WHERE a.id IS NULL OR a.held <> coalesce(s.held, 0)) AS broken
FROM ledger_account AS a
FULL JOIN summed AS s ON s.account = a.id
WHERE a.owner_kind IS DISTINCT FROM 'system' OR s.account IS NOT NULL
