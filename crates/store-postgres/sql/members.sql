SELECT p.id, e.email AS normal,
    (SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'name') AS name,
    (SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'address') AS address,
    (SELECT max(t.expires)
     FROM payment AS b
     JOIN term AS t ON t.payment = b.number
     WHERE b.person = e.person AND t.ended_on IS NULL) AS membership_expires,
    (SELECT max(d.expires) FROM document AS d WHERE d.person = e.person AND d.voided_at IS NULL) AS waiver_expires
FROM person_email AS e
JOIN person AS p ON p.number = e.person
WHERE e.position = 0
ORDER BY e.email
LIMIT $1
