SELECT count(*) AS checked, count(*) FILTER (WHERE t.terms IS DISTINCT FROM 1) AS broken
FROM payment AS p
LEFT JOIN (SELECT payment, count(*) AS terms FROM term GROUP BY payment) AS t ON t.payment = p.number
