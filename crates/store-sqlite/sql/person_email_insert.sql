INSERT INTO person_email (email, person, position) VALUES (?, ?, 0)
