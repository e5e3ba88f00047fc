-- Whoever leaves at the same moment waits until the spending is committed.
SELECT m.group_id, m.person, m.role
FROM group_member AS m
WHERE m.group_id = ANY ($1::uuid[]) AND m.person = ANY ($2::uuid[]) AND m.left_at IS NULL
ORDER BY m.group_id, m.person
FOR SHARE OF m
