SELECT p.hold, p.lot, p.amount
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM hold_pin WHERE hold = wanted.id OFFSET 0) AS p
