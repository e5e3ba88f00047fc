SELECT number, id FROM person WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2
