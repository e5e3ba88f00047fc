INSERT INTO person_detail (person, field, value, said_at, said_by)
SELECT (SELECT p.number FROM person AS p WHERE p.id = r.person), r.field, r.value, r.said_at, r.said_by
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
    AS r (person, field, value, said_at, said_by)
ON CONFLICT (person, field) DO UPDATE SET
    value = excluded.value,
    said_at = excluded.said_at,
    said_by = excluded.said_by
WHERE (excluded.said_at, excluded.said_by, excluded.value)
    > (person_detail.said_at, person_detail.said_by, person_detail.value)
