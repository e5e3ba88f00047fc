SELECT p.hold, p.lot, p.amount
FROM json_each(?1) AS wanted
CROSS JOIN hold_pin AS p ON p.hold = unhex(wanted.value)
