SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM person AS p WHERE p.number = e.person)
        OR e.email <> lower(trim(e.email))
        OR e.alike <> 1) AS broken
FROM (SELECT email, person, count(*) OVER (PARTITION BY email) AS alike FROM person_email) AS e
