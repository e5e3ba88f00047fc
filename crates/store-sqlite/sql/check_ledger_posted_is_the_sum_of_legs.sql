-- The system's accounts keep zeros: nobody waits for another there.
WITH part (account, posted, legs, known) AS (
    SELECT id, -posted, -version, 1 FROM ledger_account WHERE owner_kind <> 'system'
    UNION ALL
    SELECT from_account, -amount, 1, 0 FROM leg
    UNION ALL
    SELECT to_account, amount, 1, 0 FROM leg
),
whole (account, posted, legs, known) AS (
    SELECT account, sum(posted), sum(legs), max(known) FROM part GROUP BY account
)
SELECT count(*) AS checked, count(*) FILTER (WHERE w.posted <> 0 OR w.legs <> 0 OR w.known = 0) AS broken
FROM whole AS w
LEFT JOIN ledger_account AS a ON a.id = w.account
WHERE w.known = 1 OR a.id IS NULL
