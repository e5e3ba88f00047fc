-- A row that another probe holds is as good as written.
UPDATE probe SET number = (number + 1) % 1000000000
WHERE id = (SELECT id FROM probe WHERE id = 1 FOR UPDATE SKIP LOCKED)
