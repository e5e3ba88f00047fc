-- Of everybody who ever belonged to a group: what they are is what the journal adds up to. Who gets
-- another role joined when they joined, and nobody leaves before.
SELECT count(*) AS checked,
    count(*) FILTER (WHERE (m.role, m.joined_at, m.left_at) IS DISTINCT FROM (t.role, t.joined_at, t.left_at)) AS broken
FROM (
    SELECT j.group_id, j.person, l.role, f.happened_at AS joined_at,
        CASE WHEN l.kind = 'left' THEN greatest(f.happened_at, l.happened_at) END AS left_at
    FROM (
        SELECT group_id, person, max(number) AS latest,
            max(number) FILTER (WHERE kind IN ('created', 'joined')) AS joined
        FROM group_change
        WHERE person IS NOT NULL AND kind <> 'unchanged'
        GROUP BY group_id, person
    ) AS j
    INNER JOIN group_change AS l ON l.number = j.latest
    LEFT JOIN group_change AS f ON f.number = j.joined
) AS t
FULL JOIN group_member AS m ON m.group_id = t.group_id AND m.person = t.person
