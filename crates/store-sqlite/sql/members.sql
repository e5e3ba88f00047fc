SELECT e.person AS id, e.email AS normal,
    (SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'name') AS name,
    (SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'address') AS address,
    (SELECT max(t.expires)
     FROM payment AS p
     CROSS JOIN term AS t ON t.account = p.account AND t.transaction_id = p.transaction_id
     WHERE p.person = e.person AND t.ended_on IS NULL) AS membership_expires,
    (SELECT max(d.expires) FROM document AS d WHERE d.person = e.person AND d.voided_at IS NULL) AS waiver_expires
FROM person_email AS e
WHERE e.position = 0
ORDER BY e.email
LIMIT ?1
