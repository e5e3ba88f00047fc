SELECT id, envelope, reason, detail, attempts, failed_at
FROM dead_letter_failure
WHERE letter = $1
ORDER BY failed_at, id
