SELECT (SELECT count(*) FROM sqlite_schema) AS checked,
    (SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok') AS broken
