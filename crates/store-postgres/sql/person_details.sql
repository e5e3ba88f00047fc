SELECT person, field, value, said_at, said_by FROM person_detail WHERE person = ANY ($1::bigint[])
