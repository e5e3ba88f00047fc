SELECT count(*) AS checked,
    coalesce(sum((d.person IS NOT NULL) <> (
        SELECT count(*)
        FROM document_journal AS j
        CROSS JOIN processed AS p
            ON p.processor = j.processor AND p.account = j.account AND p.event_key = j.event_key
        WHERE j.account = d.account AND j.document_id = d.document_id AND p.kind = 'document_completed')), 0) AS broken
FROM document AS d
