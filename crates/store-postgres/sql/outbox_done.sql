DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox AS o WHERE o.id = ANY ($1::bigint[]) ORDER BY o.id FOR UPDATE)
