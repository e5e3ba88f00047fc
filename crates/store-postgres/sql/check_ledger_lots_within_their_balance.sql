-- The lots of an account are no more than its balance, free ones no more than what is available.
WITH dated (account, remaining, free) AS (
    SELECT account, sum(remaining), sum(remaining - held) FROM lot GROUP BY account
)
SELECT count(*) AS checked,
    count(*) FILTER (WHERE a.id IS NULL OR d.remaining > a.posted OR d.free > a.posted - a.held) AS broken
FROM dated AS d
LEFT JOIN ledger_account AS a ON a.id = d.account
