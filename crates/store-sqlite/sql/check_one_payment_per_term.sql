SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (
        SELECT 1 FROM payment AS p
        WHERE p.account = t.account AND p.transaction_id = t.transaction_id AND p.person = t.person)), 0) AS broken
FROM term AS t
