SELECT count(*) AS checked,
    count(*) FILTER (WHERE outcome NOT IN ('applied', 'ignored', 'rejected')
        OR (outcome = 'applied') <> (reason IS NULL)) AS broken
FROM processed
