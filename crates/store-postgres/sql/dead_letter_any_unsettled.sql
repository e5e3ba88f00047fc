SELECT EXISTS (SELECT 1 FROM dead_letter WHERE state IN ('open', 'replaying'))
