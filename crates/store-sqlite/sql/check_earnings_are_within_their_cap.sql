-- Of every owner, rule and period: what was moved is what was earned, or the cap.
SELECT count(*) AS checked,
    coalesce(sum(s.moved <> CASE WHEN s.earned > s.cap THEN s.cap ELSE s.earned END OR s.earned < 0), 0) AS broken
FROM (
    SELECT sum(e.moved) AS moved, sum(e.earned) AS earned, max(e.cap) AS cap
    FROM earning AS e
    WHERE e.period_first IS NOT NULL
    GROUP BY e.owner_kind, e.owner, e.rule, e.period_first, e.period_last
) AS s
