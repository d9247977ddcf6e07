-- Waits for the chunk that is being applied, if there is one, and bars whoever holds the lease.
-- $1 business, $2 import
UPDATE import_appliers
SET fence = fence + 1, lease_until = NULL
WHERE business_id = $1 AND import_id = $2
