-- $1 business, $2 import
UPDATE imports
SET state = 4, ended_at = now(), updated_at = now(), revision = revision + 1
WHERE business_id = $1 AND import_id = $2
