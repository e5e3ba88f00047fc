-- What was pruned cannot be sent again, and stays as it is.
UPDATE dead_letter SET state = 'replaying'
WHERE id = ANY ($1::bigint[])
    AND EXISTS (SELECT 1 FROM envelope AS e WHERE e.id = dead_letter.envelope)
