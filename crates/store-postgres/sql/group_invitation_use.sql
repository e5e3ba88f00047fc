UPDATE group_invitation SET used_by = $2, used_at = $3
WHERE digest = $1
