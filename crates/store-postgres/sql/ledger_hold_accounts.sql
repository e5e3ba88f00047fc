-- In whose account these holds are: it never changes, so no lock is needed.
SELECT h.id, a.asset, a.owner_kind, a.owner, a.place
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT id, account FROM hold WHERE id = wanted.id LIMIT 1) AS h
CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = h.account LIMIT 1) AS a
