INSERT INTO document_journal (document, person, signed_at, expires, category, voided_at, fact, written_at)
SELECT (SELECT d.number FROM document AS d WHERE d.account = r.account AND d.document_id = r.document_id),
    (SELECT p.number FROM person AS p WHERE p.id = r.person), r.signed_at, r.expires, r.category, r.voided_at,
    (SELECT f.id FROM processed AS f
     WHERE f.processor = $8 AND f.account = r.fact_account AND f.event_key = r.event_key), $11
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::date[], $6::text[], $7::timestamptz[],
    $9::text[], $10::text[])
    WITH ORDINALITY AS r (account, document_id, person, signed_at, expires, category, voided_at, fact_account, event_key, turn)
ORDER BY r.turn
