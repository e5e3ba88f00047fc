-- What the server, the database and this session's role are like.
SELECT current_setting('server_version_num')::int AS version_number,
    split_part(current_setting('server_version'), ' ', 1) AS version,
    current_setting('server_encoding') AS encoding,
    current_setting('fsync') = 'on' AS syncs,
    current_setting('full_page_writes') = 'on' AS writes_full_pages,
    current_setting('synchronous_commit') AS synchronous_commit,
    pg_is_in_recovery() AS standby,
    current_setting('transaction_read_only') = 'on' AS read_only,
    current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint AS room,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS taken,
    r.rolconnlimit::bigint AS role_limit,
    r.rolsuper AS superuser,
    quote_ident(current_user) AS role,
    quote_ident(coalesce(current_schema(), 'public')) AS schema,
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
    pg_database_size(current_database()) AS size_bytes
FROM pg_roles AS r
WHERE r.rolname = current_user
