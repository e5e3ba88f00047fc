SELECT m.person, m.role, m.joined_at, m.left_at,
    coalesce((SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'address'), e.email)
        AS email
FROM group_member AS m
LEFT JOIN LATERAL (SELECT number FROM person WHERE id = m.person LIMIT 1) AS p ON true
LEFT JOIN LATERAL (SELECT * FROM person_email WHERE person = p.number AND position = 0 LIMIT 1) AS e ON true
WHERE m.group_id = $1
ORDER BY m.joined_at, m.person
