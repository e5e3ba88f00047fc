SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM person_email AS e WHERE e.person = p.number AND e.position = 0)) AS broken
FROM person AS p
