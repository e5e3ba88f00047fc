-- What this session's role lacks of what is needed, of tables that are there.
SELECT needed.privilege || ' on ' || needed.name AS lacking
FROM unnest($1::text[], $2::text[]) AS needed (name, privilege)
WHERE to_regclass(needed.name) IS NOT NULL AND NOT has_table_privilege(to_regclass(needed.name), needed.privilege)
ORDER BY needed.name, needed.privilege
