-- $1 business, $2 import
SELECT state, committed_row, file_sha256
FROM imports
WHERE business_id = $1 AND import_id = $2
FOR UPDATE
