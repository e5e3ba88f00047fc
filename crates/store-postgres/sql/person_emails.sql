SELECT person, email FROM person_email WHERE person = ANY ($1::bigint[]) ORDER BY person, position
