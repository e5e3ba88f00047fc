SELECT f.event_key AS fact_key, f.account AS fact_account, o.event_key AS award_key, o.account AS award_account, e.rule,
    e.owner_kind, e.owner, e.account, e.transaction_id, e.amount_minor, e.currency, e.returned_minor, e.per_10000,
    e.award, e.period_first, e.period_last, e.cap, e.earned, e.moved, e.happened_at, e.expires_at
FROM json_each(?1) AS wanted
CROSS JOIN earning AS e ON e.account = wanted.value ->> 0 AND e.transaction_id = wanted.value ->> 1
CROSS JOIN processed AS f ON f.id = e.fact
CROSS JOIN processed AS o ON o.id = e.award_of
