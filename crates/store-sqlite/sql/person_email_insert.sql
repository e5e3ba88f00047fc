INSERT INTO person_email (email, person, position)
VALUES (?, (SELECT number FROM person WHERE id = ?), 0)
