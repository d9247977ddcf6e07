-- The rows of the chunk by verdict.
-- $1 business, $2 import, $3 first row, $4 last row
SELECT count(*) FILTER (WHERE verdict = 1), count(*) FILTER (WHERE verdict = 4)
FROM import_rows
WHERE business_id = $1 AND import_id = $2 AND row BETWEEN $3 AND $4
