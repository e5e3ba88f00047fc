UPDATE hold AS h
SET state = r.state, settled = r.settled
FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS r (id, state, settled)
WHERE h.id = r.id
