-- Every group was created, every invitation was made, and used as it says, by a line of the journal.
SELECT count(*) AS checked,
    count(*) FILTER (WHERE s.untold) AS broken
FROM (
    SELECT (c.group_id, c.happened_at) IS DISTINCT FROM (g.id, g.created_at) AS untold
    FROM ledger_group AS g
    LEFT JOIN group_change AS c ON c.id = g.id AND c.kind = 'created'
    UNION ALL
    SELECT (c.group_id, c.role, c.happened_at) IS DISTINCT FROM (i.group_id, i.role, i.made_at)
        OR (u.group_id, u.person, u.happened_at)
            IS DISTINCT FROM (CASE WHEN i.used_by IS NOT NULL THEN i.group_id END, i.used_by, i.used_at)
    FROM group_invitation AS i
    LEFT JOIN group_change AS c ON c.id = i.id AND c.kind = 'invited'
    LEFT JOIN group_change AS u ON u.invitation = i.id AND u.kind IN ('joined', 'role_changed')
) AS s
