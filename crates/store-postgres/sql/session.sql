-- What every connection of ours relies on, whatever the server or the role has as its default. A
-- commit that is not on disk must not be acknowledged. A plan that was made while a table was small
-- may read all of it, and is kept until the table is analysed; keys are right at every size.
SELECT set_config('statement_timeout', $1, false),
    set_config('lock_timeout', $2, false),
    set_config('idle_in_transaction_session_timeout', $1, false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('enable_seqscan', 'off', false),
    CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END
