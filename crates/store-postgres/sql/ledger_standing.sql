SELECT coalesce(sum(posted) FILTER (WHERE place = 'available'), 0)::bigint AS posted,
    coalesce(sum(held), 0)::bigint AS held,
    -coalesce(sum(posted) FILTER (WHERE place = 'owed'), 0)::bigint AS owed
FROM ledger_account
WHERE id IN ($1, $2)
