-- Of every payment and rule: never less than nothing, and nothing once all of it was given back.
SELECT count(*) AS checked,
    coalesce(sum(s.earned < 0 OR (s.returned_minor = s.amount_minor AND s.returned_minor > 0 AND s.earned <> 0)), 0) AS broken
FROM (
    SELECT sum(e.earned) AS earned, max(e.returned_minor) AS returned_minor, max(e.amount_minor) AS amount_minor
    FROM earning AS e
    WHERE e.account IS NOT NULL
    GROUP BY e.account, e.transaction_id, e.rule
) AS s
