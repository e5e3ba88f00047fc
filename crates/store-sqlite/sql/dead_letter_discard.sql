UPDATE dead_letter SET state = 'discarded' WHERE id IN (SELECT value FROM json_each(?1))
