INSERT INTO earning
    (fact, rule, award_of, owner_kind, owner, account, transaction_id, amount_minor, currency, returned_minor, per_10000,
     award, period_first, period_last, cap, earned, moved, posted_by, happened_at, expires_at)
SELECT (SELECT f.id FROM processed AS f WHERE f.processor = $1 AND f.account = r.fact_account AND f.event_key = r.fact_key),
    r.rule,
    (SELECT o.id FROM processed AS o WHERE o.processor = $1 AND o.account = r.award_account AND o.event_key = r.award_key),
    r.owner_kind, r.owner, r.account, r.transaction_id, r.amount_minor, r.currency, r.returned_minor, r.per_10000, r.award,
    r.period_first, r.period_last, r.cap, r.earned, r.moved, r.posted_by, r.happened_at, r.expires_at
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[],
    $10::text[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[], $16::date[], $17::date[], $18::bigint[],
    $19::bigint[], $20::bigint[], $21::uuid[], $22::timestamptz[], $23::timestamptz[])
    AS r (fact_account, fact_key, award_account, award_key, rule, owner_kind, owner, account, transaction_id, amount_minor,
        currency, returned_minor, per_10000, award, period_first, period_last, cap, earned, moved, posted_by, happened_at,
        expires_at)
