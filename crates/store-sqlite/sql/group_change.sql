SELECT id, digest, group_id FROM group_change WHERE id = ?1
