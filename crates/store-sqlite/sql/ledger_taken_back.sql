-- Not by what was itself reversed.
SELECT l.takes_back, l.transaction_id, l.amount
FROM json_each(?1) AS wanted
CROSS JOIN leg AS l ON l.takes_back = unhex(wanted.value)
WHERE l.takes_back IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM ledger_transaction AS t
    WHERE t.reverses = l.transaction_id AND t.outcome = 'applied' AND t.reverses IS NOT NULL)
