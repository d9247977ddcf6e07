-- The rows of an import that have one of these external ids.
-- $1 business, $2 import, $3 external ids
SELECT external_id, row, fingerprint, first_line
FROM import_rows
WHERE business_id = $1 AND import_id = $2 AND external_id = ANY ($3::text[]) AND external_id <> ''
