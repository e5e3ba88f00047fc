SELECT d.person, d.field, d.value, d.said_at, d.said_by
FROM unnest($1::bigint[]) AS wanted (person)
JOIN person_detail AS d ON d.person = wanted.person
