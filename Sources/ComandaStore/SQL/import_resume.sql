-- Has a faulted import worked on again.
-- $1 business, $2 import
UPDATE import_appliers
SET faulted_at = NULL, retry_at = NULL, faults = 0, revision = revision + 1
WHERE business_id = $1 AND import_id = $2 AND faulted_at IS NOT NULL AND NOT has_ended
