-- Records what the chunk came to; the import's other turns come after those of imports that wait.
-- $1 business, $2 import, $3 last row, $4 applied, $5 unchanged, $6 failed
UPDATE import_appliers
SET
  applied_row = $3,
  applied_rows = applied_rows + $4,
  unchanged_rows = unchanged_rows + $5,
  failed_rows = failed_rows + $6,
  revision = revision + 1,
  faults = 0,
  retry_at = NULL,
  turn_at = now()
WHERE business_id = $1 AND import_id = $2
