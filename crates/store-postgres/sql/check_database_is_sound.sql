-- Whatever enforces the schema stands and is switched on.
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT sound) AS broken
FROM (
    SELECT i.indisvalid AND i.indisready AS sound
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indrelid
    WHERE c.relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT convalidated FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
    UNION ALL
    SELECT t.tgenabled IN ('O', 'A')
    FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = current_schema()::regnamespace
) AS guard
