SELECT number, id FROM person WHERE id > ?1 ORDER BY id LIMIT ?2
