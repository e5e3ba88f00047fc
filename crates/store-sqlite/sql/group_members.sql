SELECT m.person, m.role, m.joined_at, m.left_at,
    coalesce((SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'address'), e.email)
        AS email
FROM group_member AS m
LEFT JOIN person AS p ON p.id = m.person
LEFT JOIN person_email AS e ON e.person = p.number AND e.position = 0
WHERE m.group_id = ?1
ORDER BY m.joined_at, m.person
