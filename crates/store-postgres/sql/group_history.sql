SELECT c.id, c.group_id, c.kind, c.person, c.role, c.invitation, c.happened_at, c.actor, c.reason,
    coalesce((SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'address'), e.email)
        AS email,
    coalesce((SELECT d.value FROM person_detail AS d WHERE d.person = a.person AND d.field = 'address'), a.email)
        AS actor_email
FROM group_change AS c
LEFT JOIN LATERAL (SELECT number FROM person WHERE id = c.person LIMIT 1) AS p ON true
LEFT JOIN LATERAL (SELECT * FROM person_email WHERE person = p.number AND position = 0 LIMIT 1) AS e ON true
LEFT JOIN LATERAL (SELECT number FROM person WHERE id = c.actor LIMIT 1) AS q ON true
LEFT JOIN LATERAL (SELECT * FROM person_email WHERE person = q.number AND position = 0 LIMIT 1) AS a ON true
WHERE c.group_id = $1
ORDER BY c.number
