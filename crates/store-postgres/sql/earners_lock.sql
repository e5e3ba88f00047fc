SELECT e.owner
FROM earner AS e
WHERE e.owner = ANY ($1::uuid[])
ORDER BY e.owner
FOR NO KEY UPDATE OF e
