INSERT INTO group_invitation (digest, id, group_id, role, made_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
