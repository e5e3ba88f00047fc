SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.number = t.payment)), 0) AS broken
FROM term AS t
