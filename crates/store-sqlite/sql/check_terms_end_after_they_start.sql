SELECT count(*) AS checked,
    coalesce(sum(expires <= starts OR (ended_on IS NULL) <> (end_reason IS NULL)), 0) AS broken
FROM term
