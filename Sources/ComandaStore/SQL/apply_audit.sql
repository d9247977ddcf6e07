-- One audit record for the chunk, with a digest over the ids and contents of its orders.
-- $1 business, $2 import, $3 first row, $4 last row, $5 actor, $6 method
INSERT INTO audit_records (
  business_id, sequence, actor_id, subject_id, occurred_at, method, request_id, digest, detail)
SELECT
  s.business_id, s.audit_sequence, $5, $2, now(), $6, '', chunk.digest,
  jsonb_build_object('first_row', $3::bigint, 'last_row', $4::bigint, 'orders', chunk.orders)
FROM business_sequences s
CROSS JOIN (
  SELECT
    count(*) AS orders,
    sha256(coalesce(string_agg(uuid_send(order_id) || fingerprint, '' ORDER BY row), '')) AS digest
  FROM import_rows
  WHERE business_id = $1 AND import_id = $2 AND row BETWEEN $3 AND $4 AND verdict = 1) AS chunk
WHERE s.business_id = $1
