SELECT count(*) AS checked,
    coalesce(sum((d.person IS NOT NULL) <> (
        SELECT count(*)
        FROM document_journal AS j
        CROSS JOIN processed AS p ON p.id = j.fact
        WHERE j.document = d.number AND p.kind = 'document_completed')), 0) AS broken
FROM document AS d
