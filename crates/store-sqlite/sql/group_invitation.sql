SELECT id, group_id, role, expires_at, used_by
FROM group_invitation
WHERE digest = ?1
