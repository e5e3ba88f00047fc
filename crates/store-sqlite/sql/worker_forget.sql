DELETE FROM worker WHERE id <> ?1 AND forget_at <= CAST(unixepoch('subsec') * 1000000 AS INTEGER)
