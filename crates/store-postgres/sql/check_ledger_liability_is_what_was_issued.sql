-- What owners have, less what they owe, is what was issued and neither redeemed nor expired.
WITH part (asset, owners, system) AS (
    SELECT asset, sum(posted), 0 FROM ledger_account WHERE owner_kind <> 'system' GROUP BY asset
    UNION ALL
    SELECT f.asset, 0, -sum(l.amount)
    FROM leg AS l
    JOIN ledger_account AS f ON f.id = l.from_account
    WHERE f.owner_kind = 'system'
    GROUP BY f.asset
    UNION ALL
    SELECT t.asset, 0, sum(l.amount)
    FROM leg AS l
    JOIN ledger_account AS t ON t.id = l.to_account
    WHERE t.owner_kind = 'system'
    GROUP BY t.asset
),
whole (owners, system) AS (SELECT sum(owners), sum(system) FROM part GROUP BY asset)
SELECT count(*) AS checked, count(*) FILTER (WHERE owners <> -system) AS broken FROM whole
