-- The ledger issued what was given and took back what was taken back; only what an operator had
-- reversed before was not there to be taken.
SELECT count(*) AS checked,
    coalesce(sum(NOT (s.issued = s.moved OR (s.moved < s.issued AND s.issued <= 0))), 0) AS broken
FROM (
    SELECT sum(e.moved) AS moved, (
            SELECT coalesce(sum(CASE WHEN a.place = 'issued' THEN l.amount ELSE 0 END), 0)
                - coalesce(sum(CASE WHEN b.place = 'issued' THEN l.amount ELSE 0 END), 0)
            FROM leg AS l
            INNER JOIN ledger_account AS a ON a.id = l.from_account
            INNER JOIN ledger_account AS b ON b.id = l.to_account
            WHERE l.transaction_id = e.posted_by
        ) AS issued
    FROM earning AS e
    WHERE e.posted_by IS NOT NULL
    GROUP BY e.posted_by
) AS s
