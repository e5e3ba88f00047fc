INSERT INTO group_change (id, group_id, kind, digest, person, role, invitation, happened_at, actor, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
