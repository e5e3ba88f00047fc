SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM payment AS e WHERE e.person = p.number)
        AND NOT EXISTS (SELECT 1 FROM document AS d WHERE d.person = p.number)) AS broken
FROM person AS p
