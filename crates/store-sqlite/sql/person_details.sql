SELECT d.person, d.field, d.value, d.said_at, d.said_by
FROM json_each(?1) AS wanted
CROSS JOIN person_detail AS d ON d.person = wanted.value
