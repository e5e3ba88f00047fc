-- Who comes back joins anew; who gets another role joined when they joined.
INSERT INTO group_member AS m (group_id, person, role, joined_at)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (group_id, person) DO UPDATE SET
    role = excluded.role,
    joined_at = iif(m.left_at IS NULL, m.joined_at, excluded.joined_at),
    left_at = NULL
