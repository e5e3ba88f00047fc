UPDATE dead_letter SET state = 'discarded' WHERE id = ANY ($1::bigint[])
