SELECT m.group_id, m.person, m.left_at
FROM json_each(?1) AS wanted
CROSS JOIN group_member AS m
    ON m.group_id = unhex(wanted.value ->> 0) AND m.person = unhex(wanted.value ->> 1)
