SELECT count(*) AS checked,
    count(*) FILTER (WHERE j.document IS NULL
        OR (j.person, j.signed_at, j.expires, j.category, j.voided_at)
            IS DISTINCT FROM (d.person, d.signed_at, d.expires, d.category, d.voided_at)) AS broken
FROM document AS d
LEFT JOIN (SELECT DISTINCT ON (document) * FROM document_journal ORDER BY document, id DESC) AS j
    ON j.document = d.number
