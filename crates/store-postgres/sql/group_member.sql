-- The member, and how many others there are now, and how many owners among these.
SELECT m.person, m.role, m.left_at, count(o.person) AS others,
    count(o.person) FILTER (WHERE o.role = 'owner') AS other_owners
FROM group_member AS m
LEFT JOIN group_member AS o ON o.group_id = m.group_id AND o.person <> m.person AND o.left_at IS NULL
WHERE m.group_id = $1 AND m.person = $2
GROUP BY m.group_id, m.person
