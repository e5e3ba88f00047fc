-- A hold before a lot of the same moment, as they expire.
SELECT id, what
FROM (
    SELECT id, 'hold' AS what, expires_at
    FROM (
        SELECT h.id, h.expires_at FROM hold AS h
        WHERE h.state = 'open' AND h.expires_at IS NOT NULL AND h.expires_at <= ?1
        ORDER BY h.expires_at, h.id
        LIMIT ?2)
    UNION ALL
    SELECT id, 'lot', expires_at
    FROM (
        SELECT l.id, l.expires_at FROM lot AS l
        WHERE l.remaining > l.held AND l.expires_at <= ?1
        ORDER BY l.expires_at, l.id
        LIMIT ?2)
)
ORDER BY expires_at, what, id
LIMIT ?2
