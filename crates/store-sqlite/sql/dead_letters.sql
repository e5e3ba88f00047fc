SELECT id, processor, source, event_key, reason, detail, amount, currency, attempts, first_seen, last_seen, state,
    envelope, failures
FROM dead_letter
WHERE (?1 IS NULL OR id IN (SELECT value FROM json_each(?1)))
    AND (?2 IS NULL OR id IN (SELECT f.letter FROM dead_letter_failure AS f WHERE f.envelope = ?2))
    AND (?3 IS NULL OR reason = ?3)
    AND (?4 IS NULL OR processor = ?4)
    AND (?5 IS NULL OR source = ?5)
    AND (?6 IS NULL OR last_seen >= ?6)
    AND (?7 IS NULL OR last_seen < ?7)
    AND (?8 IS NULL OR state IN (SELECT value FROM json_each(?8)))
ORDER BY first_seen, id
LIMIT ?9
