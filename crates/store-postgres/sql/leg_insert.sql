INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, from_version, to_version, takes_back)
SELECT *
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::uuid[])
