SELECT count(*) AS checked,
    count(*) FILTER (WHERE expires <= starts OR (ended_on IS NULL) <> (end_reason IS NULL)) AS broken
FROM term
