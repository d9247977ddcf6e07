-- Holds the applier's row of an import as apply_pick.sql does, to go on with rows that were picked before; nothing when
-- another has it, or has applied them, or the import has ended.
-- $1 business, $2 import, $3 applied row
SELECT import_id
FROM import_appliers
WHERE business_id = $1 AND import_id = $2 AND applied_row = $3 AND NOT has_ended AND faulted_at IS NULL
FOR UPDATE SKIP LOCKED
