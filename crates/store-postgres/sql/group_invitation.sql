SELECT group_id, role, made_at, expires_at, used_by
FROM group_invitation
WHERE digest = $1
