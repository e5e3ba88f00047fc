WITH new (processor, fact_account, fact_key, award_account, award_key, rule, owner_kind, owner, account, transaction_id,
    amount_minor, currency, returned_minor, per_10000, award, period_first, period_last, cap, earned, moved, posted_by,
    happened_at, expires_at) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
INSERT INTO earning
    (fact, rule, award_of, owner_kind, owner, account, transaction_id, amount_minor, currency, returned_minor, per_10000,
     award, period_first, period_last, cap, earned, moved, posted_by, happened_at, expires_at)
SELECT f.id, new.rule, o.id, new.owner_kind, new.owner, new.account, new.transaction_id, new.amount_minor, new.currency,
    new.returned_minor, new.per_10000, new.award, new.period_first, new.period_last, new.cap, new.earned, new.moved,
    new.posted_by, new.happened_at, new.expires_at
FROM new
CROSS JOIN processed AS f
    ON f.processor = new.processor AND f.account = new.fact_account AND f.event_key = new.fact_key
CROSS JOIN processed AS o
    ON o.processor = new.processor AND o.account = new.award_account AND o.event_key = new.award_key
