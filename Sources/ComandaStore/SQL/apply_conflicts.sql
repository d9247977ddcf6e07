-- Settles the rows whose external id was taken: unchanged when the order has the same content, else failed. Each row
-- looks its order up by itself: LIMIT keeps the planner from any other way.
-- $1 business, $2 import, $3 first row, $4 last row, $5 code, $6 message
WITH taken AS MATERIALIZED (
  SELECT r.row, o.order_id, o.fingerprint = r.fingerprint AS is_same
  FROM import_rows r
  CROSS JOIN LATERAL (
    SELECT order_id, fingerprint FROM orders
    WHERE business_id = $1 AND external_id = r.external_id
    LIMIT 1
  ) AS o
  WHERE r.business_id = $1 AND r.import_id = $2 AND r.row BETWEEN $3 AND $4 AND r.verdict = 1
    AND o.order_id <> r.order_id
)
UPDATE import_rows r
SET
  verdict = CASE WHEN is_same THEN 2 ELSE 3 END,
  order_id = CASE WHEN is_same THEN taken.order_id END,
  problem_fields = CASE WHEN NOT is_same THEN ARRAY['external_id'] END,
  problem_codes = CASE WHEN NOT is_same THEN ARRAY[$5::text] END,
  problem_messages = CASE WHEN NOT is_same THEN ARRAY[$6::text] END,
  problem_lines = CASE WHEN NOT is_same THEN ARRAY[r.first_line] END
FROM taken
WHERE r.business_id = $1 AND r.import_id = $2 AND r.row = taken.row AND r.row BETWEEN $3 AND $4
RETURNING r.verdict
