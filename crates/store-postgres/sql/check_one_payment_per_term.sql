SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.number = t.payment)) AS broken
FROM term AS t
