SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (SELECT 1 FROM payment AS e WHERE e.person = p.number)
        AND NOT EXISTS (SELECT 1 FROM document AS d WHERE d.person = p.number)), 0) AS broken
FROM person AS p
