SELECT f.event_key AS fact_key, f.account AS fact_account, o.event_key AS award_key, o.account AS award_account, e.rule,
    e.owner_kind, e.owner, e.account, e.transaction_id, e.amount_minor, e.currency, e.returned_minor, e.per_10000,
    e.award, e.period_first, e.period_last, e.cap, e.earned, e.moved, e.happened_at, e.expires_at
FROM unnest($1::text[], $2::text[]) AS wanted (account, transaction_id)
CROSS JOIN LATERAL (
    SELECT *
    FROM earning
    WHERE account = wanted.account AND transaction_id = wanted.transaction_id
    OFFSET 0
) AS e
CROSS JOIN LATERAL (SELECT p.account, p.event_key FROM processed AS p WHERE p.id = e.fact LIMIT 1) AS f
CROSS JOIN LATERAL (SELECT p.account, p.event_key FROM processed AS p WHERE p.id = e.award_of LIMIT 1) AS o
