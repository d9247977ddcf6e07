-- Fails rows that the database refuses.
-- $1 business, $2 import, $3 rows, $4 field, $5 code, $6 message
UPDATE import_rows
SET
  verdict = 3,
  order_id = NULL,
  problem_fields = ARRAY[$4::text],
  problem_codes = ARRAY[$5::text],
  problem_messages = ARRAY[$6::text],
  problem_lines = ARRAY[first_line]
WHERE business_id = $1 AND import_id = $2 AND row = ANY ($3::bigint[]) AND verdict IN (1, 4)
