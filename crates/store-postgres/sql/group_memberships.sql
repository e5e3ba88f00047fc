SELECT m.group_id, m.person, m.left_at
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (group_id, person)
CROSS JOIN LATERAL (
    SELECT group_id, person, left_at
    FROM group_member
    WHERE group_id = wanted.group_id AND person = wanted.person
    LIMIT 1
) AS m
