-- Settles the rows whose external id was taken: unchanged when the order has the same content, else failed.
-- $1 business, $2 import, $3 first row, $4 last row, $5 code, $6 message
UPDATE import_rows r
SET
  verdict = CASE WHEN o.fingerprint = r.fingerprint THEN 2 ELSE 3 END,
  order_id = CASE WHEN o.fingerprint = r.fingerprint THEN o.order_id END,
  problem_fields = CASE WHEN o.fingerprint <> r.fingerprint THEN ARRAY['external_id'] END,
  problem_codes = CASE WHEN o.fingerprint <> r.fingerprint THEN ARRAY[$5::text] END,
  problem_messages = CASE WHEN o.fingerprint <> r.fingerprint THEN ARRAY[$6::text] END,
  problem_lines = CASE WHEN o.fingerprint <> r.fingerprint THEN ARRAY[r.first_line] END
FROM orders o
WHERE r.business_id = $1 AND r.import_id = $2 AND r.row BETWEEN $3 AND $4 AND r.verdict = 1
  AND o.business_id = $1 AND o.external_id = r.external_id AND o.order_id <> r.order_id
RETURNING r.verdict
