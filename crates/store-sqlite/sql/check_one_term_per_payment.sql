SELECT count(*) AS checked,
    coalesce(sum((
        SELECT count(*) FROM term AS t
        WHERE t.account = p.account AND t.transaction_id = p.transaction_id) <> 1), 0) AS broken
FROM payment AS p
