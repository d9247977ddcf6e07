-- Moves the watermark, unless another uploader has, or the import was sealed or canceled meanwhile.
-- $1 business, $2 import, $3 watermark before, $4 watermark after, $5 failed rows
UPDATE imports
SET committed_row = $4, failed_rows = failed_rows + $5, revision = revision + 1, updated_at = now()
WHERE business_id = $1 AND import_id = $2 AND committed_row = $3 AND state = 1
