-- Who comes back joins anew; who gets another role joined when they joined.
INSERT INTO group_member AS m (group_id, person, role, joined_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (group_id, person) DO UPDATE
SET role = EXCLUDED.role,
    joined_at = CASE WHEN m.left_at IS NULL THEN m.joined_at ELSE EXCLUDED.joined_at END,
    left_at = NULL
