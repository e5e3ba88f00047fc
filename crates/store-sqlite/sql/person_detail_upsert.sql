INSERT INTO person_detail (person, field, value, said_at, said_by)
VALUES ((SELECT number FROM person WHERE id = ?), ?, ?, ?, ?)
ON CONFLICT (person, field) DO UPDATE SET
    value = excluded.value,
    said_at = excluded.said_at,
    said_by = excluded.said_by
WHERE (excluded.said_at, excluded.said_by, excluded.value) > (said_at, said_by, value)
