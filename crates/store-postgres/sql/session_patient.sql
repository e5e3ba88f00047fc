-- Until the end of the transaction; also its first statement, which fixes what it sees. Whoever
-- counts everything reads everything.
SELECT set_config('statement_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true),
    set_config('enable_seqscan', 'on', true),
    (SELECT count(*) FROM schema_migration)
