SELECT count(*) AS checked,
    count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM document_journal AS j
        WHERE j.id = (SELECT max(l.id) FROM document_journal AS l WHERE l.document = d.number)
            AND (j.person, j.signed_at, j.expires, j.category, j.voided_at)
                IS NOT DISTINCT FROM (d.person, d.signed_at, d.expires, d.category, d.voided_at))) AS broken
FROM document AS d
