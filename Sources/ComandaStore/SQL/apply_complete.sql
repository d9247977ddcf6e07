-- Ends a sealed import whose last row was applied.
-- $1 business, $2 import
UPDATE imports
SET state = 3, ended_at = now(), updated_at = now(), revision = revision + 1
WHERE business_id = $1 AND import_id = $2 AND state = 2
