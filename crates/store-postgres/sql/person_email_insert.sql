INSERT INTO person_email (email, person, position)
SELECT r.email, (SELECT p.number FROM person AS p WHERE p.id = r.person), 0
FROM unnest($1::text[], $2::uuid[]) AS r (email, person)
