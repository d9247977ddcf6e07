-- $1 business, $2 import, $3 file hash
UPDATE imports
SET state = 2, total_rows = committed_row, file_sha256 = $3, sealed_at = now(), updated_at = now(),
  revision = revision + 1
WHERE business_id = $1 AND import_id = $2
