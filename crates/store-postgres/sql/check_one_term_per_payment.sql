SELECT count(*) AS checked,
    count(*) FILTER (WHERE (SELECT count(*) FROM term AS t WHERE t.payment = p.number) <> 1) AS broken
FROM payment AS p
