SELECT event_key, envelope, source, processor, kind, outcome, reason, rules, occurred_at, processed_at
FROM processed
WHERE (?1 IS NULL OR envelope = ?1)
    AND (?2 IS NULL OR source = ?2)
    AND (?3 IS NULL OR processor = ?3)
    AND (?4 IS NULL OR outcome = ?4)
    AND (?5 IS NULL OR reason = ?5)
    AND (?6 IS NULL OR kind = ?6)
    AND (?7 IS NULL OR event_key = ?7)
    AND (?8 IS NULL OR processed_at >= ?8)
    AND (?9 IS NULL OR processed_at < ?9)
ORDER BY processed_at DESC, id DESC
LIMIT ?10
