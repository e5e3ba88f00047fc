SELECT processor, source, reason, count(*) AS letters, min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM (
    SELECT processor, source, reason, first_seen, last_seen
    FROM dead_letter
    WHERE ($1::bigint[] IS NULL OR id = ANY ($1))
        AND ($2::uuid IS NULL OR id IN (SELECT f.letter FROM dead_letter_failure AS f WHERE f.envelope = $2))
        AND ($3::text IS NULL OR reason = $3)
        AND ($4::text IS NULL OR processor = $4)
        AND ($5::text IS NULL OR source = $5)
        AND ($6::timestamptz IS NULL OR last_seen >= $6)
        AND ($7::timestamptz IS NULL OR last_seen < $7)
        AND ($8::text[] IS NULL OR state = ANY ($8))
    ORDER BY first_seen, id
    LIMIT $9
) AS chosen
GROUP BY processor, source, reason
ORDER BY letters DESC, processor, source, reason
