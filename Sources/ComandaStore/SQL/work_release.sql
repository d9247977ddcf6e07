-- $1 business, $2 import, $3 fence
UPDATE import_appliers
SET lease_until = NULL
WHERE business_id = $1 AND import_id = $2 AND fence = $3
