SELECT (
        SELECT count(*) FROM sqlite_schema AS t CROSS JOIN pragma_foreign_key_list(t.name) WHERE t.type = 'table'
    ) AS checked,
    (SELECT count(*) FROM pragma_foreign_key_check) AS broken
