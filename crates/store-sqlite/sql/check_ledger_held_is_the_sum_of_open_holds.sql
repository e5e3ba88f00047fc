WITH part (account, held, known) AS (
    SELECT id, -held, 1 FROM ledger_account WHERE owner_kind <> 'system'
    UNION ALL
    SELECT account, amount, 0 FROM hold WHERE state = 'open'
),
whole (held, known) AS (SELECT sum(held), max(known) FROM part GROUP BY account)
SELECT count(*) AS checked, count(*) FILTER (WHERE held <> 0 OR known = 0) AS broken
FROM whole
