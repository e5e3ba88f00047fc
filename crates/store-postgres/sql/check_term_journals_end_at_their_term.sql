SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM term_journal AS j
        WHERE j.id = (SELECT max(l.id) FROM term_journal AS l WHERE l.payment = t.payment)
            AND (j.starts, j.expires, j.ended_on, j.end_reason)
                IS NOT DISTINCT FROM (t.starts, t.expires, t.ended_on, t.end_reason))) AS broken
FROM term AS t
