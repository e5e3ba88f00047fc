SELECT g.id, g.name, g.created_at
FROM group_member AS m
CROSS JOIN LATERAL (SELECT * FROM ledger_group WHERE id = m.group_id LIMIT 1) AS g
WHERE m.person = $1 AND m.left_at IS NULL
ORDER BY g.name, g.id
