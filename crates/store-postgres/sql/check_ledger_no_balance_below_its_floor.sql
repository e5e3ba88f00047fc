SELECT count(*) AS checked,
    count(*) FILTER (WHERE held < 0 OR CASE place
        WHEN 'available' THEN posted - held < 0
        ELSE posted > 0 OR held <> 0 END) AS broken
FROM ledger_account
WHERE owner_kind <> 'system'
