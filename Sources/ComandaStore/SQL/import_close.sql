-- Waits for the chunk that is being applied, if there is one, and bars whoever would apply another.
-- $1 business, $2 import
UPDATE import_appliers
SET has_ended = true
WHERE business_id = $1 AND import_id = $2
