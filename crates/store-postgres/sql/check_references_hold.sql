-- A line for each foreign key, and each that a trigger stands for: its rows that refer to nothing.
SELECT count(*) AS checked, coalesce(sum(orphans), 0)::bigint AS broken
FROM (
    SELECT count(*) AS orphans FROM person AS c WHERE NOT EXISTS (SELECT 1 FROM processed AS p WHERE p.id = c.fact)
    UNION ALL
    SELECT count(*) AS orphans FROM person_email AS c WHERE NOT EXISTS (SELECT 1 FROM person AS p WHERE p.number = c.person)
    UNION ALL
    SELECT count(*) AS orphans FROM person_detail AS c WHERE NOT EXISTS (SELECT 1 FROM person AS p WHERE p.number = c.person)
    UNION ALL
    SELECT count(*) AS orphans FROM payment AS c WHERE NOT EXISTS (SELECT 1 FROM processed AS p WHERE p.id = c.fact)
    UNION ALL
    SELECT count(*) AS orphans FROM payment AS c WHERE NOT EXISTS (SELECT 1 FROM person AS p WHERE p.number = c.person)
    UNION ALL
    SELECT count(*) AS orphans FROM adjustment AS c WHERE NOT EXISTS (SELECT 1 FROM processed AS p WHERE p.id = c.fact)
    UNION ALL
    SELECT count(*) AS orphans FROM adjustment AS c WHERE NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.number = c.payment)
    UNION ALL
    SELECT count(*) AS orphans FROM term AS c WHERE NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.number = c.payment)
    UNION ALL
    SELECT count(*) AS orphans FROM term_journal AS c WHERE NOT EXISTS (SELECT 1 FROM term AS p WHERE p.payment = c.payment)
    UNION ALL
    SELECT count(*) AS orphans FROM term_journal AS c WHERE NOT EXISTS (SELECT 1 FROM processed AS p WHERE p.id = c.fact)
    UNION ALL
    SELECT count(*) AS orphans FROM document AS c WHERE c.person IS NOT NULL AND NOT EXISTS (SELECT 1 FROM person AS p WHERE p.number = c.person)
    UNION ALL
    SELECT count(*) AS orphans FROM document_journal AS c WHERE NOT EXISTS (SELECT 1 FROM processed AS p WHERE p.id = c.fact)
    UNION ALL
    SELECT count(*) AS orphans FROM document_journal AS c WHERE NOT EXISTS (SELECT 1 FROM document AS p WHERE p.number = c.document)
    UNION ALL
    SELECT count(*) AS orphans FROM dead_letter_failure AS c WHERE NOT EXISTS (SELECT 1 FROM dead_letter AS p WHERE p.id = c.letter)
    UNION ALL
    SELECT count(*) AS orphans FROM outbox AS c WHERE NOT EXISTS (SELECT 1 FROM envelope AS p WHERE p.id = c.envelope)
    UNION ALL
    SELECT count(*) AS orphans FROM ledger_transaction AS c WHERE c.account IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger_account AS p WHERE p.id = c.account)
    UNION ALL
    SELECT count(*) AS orphans FROM leg AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_transaction AS p WHERE p.id = c.transaction_id)
    UNION ALL
    SELECT count(*) AS orphans FROM leg AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_account AS p WHERE (p.id, p.asset) = (c.from_account, c.asset))
    UNION ALL
    SELECT count(*) AS orphans FROM leg AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_account AS p WHERE (p.id, p.asset) = (c.to_account, c.asset))
    UNION ALL
    SELECT count(*) AS orphans FROM leg AS c WHERE c.takes_back IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger_transaction AS p WHERE p.id = c.takes_back)
    UNION ALL
    SELECT count(*) AS orphans FROM hold AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_transaction AS p WHERE p.id = c.id)
    UNION ALL
    SELECT count(*) AS orphans FROM hold AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_account AS p WHERE p.id = c.account)
    UNION ALL
    SELECT count(*) AS orphans FROM lot AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_account AS p WHERE p.id = c.account)
    UNION ALL
    SELECT count(*) AS orphans FROM lot AS c WHERE c.source IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lot AS p WHERE p.id = c.source)
    UNION ALL
    SELECT count(*) AS orphans FROM lot AS c WHERE NOT EXISTS (SELECT 1 FROM leg AS p WHERE (p.transaction_id, p.n) = (c.transaction_id, c.n))
    UNION ALL
    SELECT count(*) AS orphans FROM lot_movement AS c WHERE NOT EXISTS (SELECT 1 FROM leg AS p WHERE (p.transaction_id, p.n) = (c.transaction_id, c.n))
    UNION ALL
    SELECT count(*) AS orphans FROM lot_movement AS c WHERE NOT EXISTS (SELECT 1 FROM lot AS p WHERE p.id = c.lot)
    UNION ALL
    SELECT count(*) AS orphans FROM hold_pin AS c WHERE NOT EXISTS (SELECT 1 FROM hold AS p WHERE p.id = c.hold)
    UNION ALL
    SELECT count(*) AS orphans FROM hold_pin AS c WHERE NOT EXISTS (SELECT 1 FROM lot AS p WHERE p.id = c.lot)
    UNION ALL
    SELECT count(*) AS orphans FROM group_member AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_group AS p WHERE p.id = c.group_id)
    UNION ALL
    SELECT count(*) AS orphans FROM group_change AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_group AS p WHERE p.id = c.group_id)
    UNION ALL
    SELECT count(*) AS orphans FROM group_change AS c WHERE c.invitation IS NOT NULL AND NOT EXISTS (SELECT 1 FROM group_change AS p WHERE p.id = c.invitation)
    UNION ALL
    SELECT count(*) AS orphans FROM group_invitation AS c WHERE NOT EXISTS (SELECT 1 FROM group_change AS p WHERE p.id = c.id)
    UNION ALL
    SELECT count(*) AS orphans FROM group_invitation AS c WHERE NOT EXISTS (SELECT 1 FROM ledger_group AS p WHERE p.id = c.group_id)
    UNION ALL
    SELECT count(*) AS orphans FROM earning AS c WHERE NOT EXISTS (SELECT 1 FROM processed AS p WHERE p.id = c.fact)
    UNION ALL
    SELECT count(*) AS orphans FROM earning AS c WHERE NOT EXISTS (SELECT 1 FROM earning AS p WHERE (p.fact, p.rule, p.award_of) = (c.award_of, c.rule, c.award_of))
    UNION ALL
    SELECT count(*) AS orphans FROM earning AS c WHERE c.posted_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger_transaction AS p WHERE p.id = c.posted_by)
) AS foreign_key
