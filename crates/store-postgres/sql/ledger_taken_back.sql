-- Not by what was itself reversed.
SELECT l.takes_back, l.transaction_id, l.amount
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM leg WHERE takes_back = wanted.id OFFSET 0) AS l
LEFT JOIN LATERAL (
    SELECT id FROM ledger_transaction WHERE reverses = l.transaction_id AND outcome = 'applied' LIMIT 1
) AS reversal ON true
WHERE reversal.id IS NULL
