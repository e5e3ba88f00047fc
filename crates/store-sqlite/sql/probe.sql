UPDATE schema_migration SET applied_at = applied_at WHERE number = 1
