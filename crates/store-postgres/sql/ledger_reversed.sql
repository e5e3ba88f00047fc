SELECT wanted.id AS reverses
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT 1 FROM ledger_transaction WHERE reverses = wanted.id AND outcome = 'applied' LIMIT 1
) AS reversal
