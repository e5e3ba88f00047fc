SELECT count(*) AS checked,
    coalesce(sum(outcome NOT IN ('applied', 'ignored', 'rejected')
        OR (outcome = 'applied') <> (reason IS NULL)), 0) AS broken
FROM processed
