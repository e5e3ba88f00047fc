SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (SELECT 1 FROM person AS p WHERE p.number = e.person)
        OR e.email <> lower(trim(e.email))
        OR (SELECT count(*) FROM person_email AS o WHERE o.email = e.email) <> 1), 0) AS broken
FROM person_email AS e
