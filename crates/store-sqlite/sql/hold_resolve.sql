UPDATE hold SET state = new.column2, settled = new.column3
FROM (VALUES (?, ?, ?)) AS new
WHERE id = new.column1
