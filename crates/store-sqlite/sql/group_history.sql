SELECT c.id, c.group_id, c.kind, c.person, c.role, c.invitation, c.happened_at, c.actor, c.reason,
    coalesce((SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'address'), e.email)
        AS email,
    coalesce((SELECT d.value FROM person_detail AS d WHERE d.person = a.person AND d.field = 'address'), a.email)
        AS actor_email
FROM group_change AS c
LEFT JOIN person AS p ON p.id = c.person
LEFT JOIN person_email AS e ON e.person = p.number AND e.position = 0
LEFT JOIN person AS q ON q.id = c.actor
LEFT JOIN person_email AS a ON a.person = q.number AND a.position = 0
WHERE c.group_id = ?1
ORDER BY c.number
