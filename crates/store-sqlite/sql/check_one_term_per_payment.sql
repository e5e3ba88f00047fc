SELECT count(*) AS checked,
    coalesce(sum((SELECT count(*) FROM term AS t WHERE t.payment = p.number) <> 1), 0) AS broken
FROM payment AS p
