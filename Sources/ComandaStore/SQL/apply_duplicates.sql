-- Settles the duplicates within the import: each shares the end of the row that it repeats.
-- $1 business, $2 import, $3 first row, $4 last row
WITH repeats AS MATERIALIZED (
  SELECT r.row, f.verdict, f.order_id, f.problem_fields, f.problem_codes, f.problem_messages
  FROM import_rows r
  CROSS JOIN LATERAL (
    SELECT * FROM import_rows
    WHERE business_id = $1 AND import_id = $2 AND row = r.duplicate_of
    LIMIT 1
  ) AS f
  WHERE r.business_id = $1 AND r.import_id = $2 AND r.row BETWEEN $3 AND $4 AND r.verdict = 4
)
UPDATE import_rows r
SET
  verdict = CASE WHEN f.verdict = 3 THEN 3 ELSE 2 END,
  order_id = f.order_id,
  problem_fields = f.problem_fields,
  problem_codes = f.problem_codes,
  problem_messages = f.problem_messages,
  problem_lines = CASE WHEN f.verdict = 3 THEN ARRAY[r.first_line] END
FROM repeats f
WHERE r.business_id = $1 AND r.import_id = $2 AND r.row = f.row AND r.row BETWEEN $3 AND $4
RETURNING r.verdict
