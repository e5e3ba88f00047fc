SELECT count(*) AS checked,
    count(*) FILTER (WHERE (was_starts, was_expires, was_ended_on, was_end_reason)
        IS DISTINCT FROM (before_starts, before_expires, before_ended_on, before_end_reason)) AS broken
FROM (
    SELECT was_starts, was_expires, was_ended_on, was_end_reason,
        lag(starts) OVER line AS before_starts,
        lag(expires) OVER line AS before_expires,
        lag(ended_on) OVER line AS before_ended_on,
        lag(end_reason) OVER line AS before_end_reason
    FROM term_journal
    WINDOW line AS (PARTITION BY payment ORDER BY id)
) AS lines
