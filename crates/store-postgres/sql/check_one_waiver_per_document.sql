SELECT count(*) AS checked,
    count(*) FILTER (WHERE (d.person IS NOT NULL)::int <> (
        SELECT count(*)
        FROM document_journal AS j
        JOIN processed AS p ON p.id = j.fact
        WHERE j.document = d.number AND p.kind = 'document_completed')) AS broken
FROM document AS d
