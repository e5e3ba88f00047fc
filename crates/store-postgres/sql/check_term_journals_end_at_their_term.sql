SELECT count(*) AS checked,
    count(*) FILTER (WHERE j.payment IS NULL
        OR (j.starts, j.expires, j.ended_on, j.end_reason)
            IS DISTINCT FROM (t.starts, t.expires, t.ended_on, t.end_reason)) AS broken
FROM term AS t
LEFT JOIN (SELECT DISTINCT ON (payment) * FROM term_journal ORDER BY payment, id DESC) AS j ON j.payment = t.payment
