-- A hold before a lot of the same moment, as they expire.
SELECT id, what
FROM (
    (SELECT id, 'hold' AS what, expires_at
    FROM hold
    WHERE state = 'open' AND expires_at IS NOT NULL AND expires_at <= $1
    ORDER BY expires_at, id
    LIMIT $2)
    UNION ALL
    (SELECT id, 'lot', expires_at
    FROM lot
    WHERE remaining > held AND expires_at <= $1
    ORDER BY expires_at, id
    LIMIT $2)
) AS due
ORDER BY expires_at, what COLLATE "C", id
LIMIT $2
