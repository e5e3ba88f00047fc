SELECT m.group_id, m.person, m.role
FROM json_each(?1) AS chosen
CROSS JOIN json_each(?2) AS wanted
CROSS JOIN group_member AS m ON m.group_id = unhex(chosen.value) AND m.person = unhex(wanted.value)
WHERE m.left_at IS NULL
