WITH new (person, field, value, said_at, said_by) AS (VALUES (?, ?, ?, ?, ?))
INSERT INTO person_detail (person, field, value, said_at, said_by)
SELECT p.number, new.field, new.value, new.said_at, new.said_by
FROM new
LEFT JOIN person AS p ON p.id = new.person
WHERE true
ON CONFLICT (person, field) DO UPDATE SET
    value = excluded.value,
    said_at = excluded.said_at,
    said_by = excluded.said_by
WHERE (excluded.said_at, excluded.said_by, excluded.value)
    > (person_detail.said_at, person_detail.said_by, person_detail.value)
