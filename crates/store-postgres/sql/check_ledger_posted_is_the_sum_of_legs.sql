-- The system's accounts keep zeros: nobody waits for another there.
WITH summed (account, posted, legs) AS (
    SELECT account, sum(amount), count(*)
    FROM (
        SELECT from_account AS account, -amount AS amount FROM leg
        UNION ALL
        SELECT to_account, amount FROM leg
    ) AS side
    GROUP BY account
)
SELECT count(*) AS checked,
    count(*) FILTER (WHERE a.id IS NULL OR a.posted <> coalesce(s.posted, 0) OR a.version <> coalesce(s.legs, 0)) AS broken
FROM ledger_account AS a
FULL JOIN summed AS s ON s.account = a.id
WHERE a.owner_kind IS DISTINCT FROM 'system'
