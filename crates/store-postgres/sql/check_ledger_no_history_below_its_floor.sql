-- The versions of an account are 1, 2, 3 …, and folded in that order it never went below zero.
WITH side (account, version, amount) AS (
    SELECT from_account, from_version, -amount FROM leg
    UNION ALL
    SELECT to_account, to_version, amount FROM leg
),
folded (account, version, number, posted) AS (
    SELECT account, version, row_number() OVER line, sum(amount) OVER line
    FROM side
    WINDOW line AS (PARTITION BY account ORDER BY version ROWS UNBOUNDED PRECEDING)
),
judged (account, broken) AS (
    SELECT f.account, bool_or(CASE a.owner_kind
        WHEN 'system' THEN f.version IS NOT NULL
        ELSE f.version IS DISTINCT FROM f.number OR (a.place = 'available' AND f.posted < 0) END)
    FROM folded AS f
    LEFT JOIN ledger_account AS a ON a.id = f.account
    GROUP BY f.account
)
SELECT count(*) AS checked, count(*) FILTER (WHERE broken) AS broken FROM judged
