SELECT count(*) AS checked,
    coalesce(sum(NOT EXISTS (SELECT 1 FROM document_journal AS e WHERE e.fact = p.id)), 0) AS broken
FROM processed AS p
WHERE p.outcome = 'applied' AND p.kind IN ('document_completed', 'document_voided', 'document_declined')
    AND NOT EXISTS (SELECT 1 FROM earning AS g WHERE g.fact = p.id)
