WITH open_pin (hold, lot, amount, most) AS (
    SELECT p.hold, p.lot, p.amount, h.amount
    FROM hold AS h
    JOIN hold_pin AS p ON p.hold = h.id
    WHERE h.state = 'open'
),
of_lot (lot, amount) AS (SELECT lot, sum(amount) FROM open_pin GROUP BY lot),
of_hold (amount, most) AS (SELECT sum(amount), max(most) FROM open_pin GROUP BY hold)
SELECT sum(checked)::bigint AS checked, sum(broken)::bigint AS broken
FROM (
    SELECT count(*) AS checked,
        count(*) FILTER (WHERE l.held <> coalesce(p.amount, 0) OR l.remaining < l.held) AS broken
    FROM lot AS l
    LEFT JOIN of_lot AS p ON p.lot = l.id
    UNION ALL
    SELECT count(*), count(*) FILTER (WHERE amount > most) FROM of_hold
) AS part
