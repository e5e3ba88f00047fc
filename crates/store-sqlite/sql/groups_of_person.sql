SELECT g.id, g.name, g.created_at
FROM group_member AS m
CROSS JOIN ledger_group AS g ON g.id = m.group_id
WHERE m.person = ?1 AND m.left_at IS NULL
ORDER BY g.name, g.id
