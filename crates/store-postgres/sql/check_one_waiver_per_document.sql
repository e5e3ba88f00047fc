SELECT count(*) AS checked,
    count(*) FILTER (WHERE (d.person IS NOT NULL)::int <> coalesce(j.completions, 0)) AS broken
FROM document AS d
LEFT JOIN (
    SELECT l.document, count(*) AS completions
    FROM document_journal AS l
    JOIN processed AS p ON p.id = l.fact
    WHERE p.kind = 'document_completed'
    GROUP BY l.document
) AS j ON j.document = d.number
