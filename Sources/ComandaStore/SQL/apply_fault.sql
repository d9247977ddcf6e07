-- Counts a fault, has the import pause for a part of a time that doubles with each, and parks it after too many.
-- $1 business, $2 import, $3 most faults, $4 first pause in seconds, $5 longest pause in seconds, $6 part, from 0 to 1
UPDATE import_appliers
SET
  faults = faults + 1,
  retry_at = now() + make_interval(secs => $6 * least($4 * 2 ^ least(faults, 30), $5)),
  faulted_at = CASE WHEN faults + 1 >= $3 THEN now() END,
  turn_at = now(),
  revision = revision + 1
WHERE business_id = $1 AND import_id = $2 AND NOT has_ended AND faulted_at IS NULL
RETURNING faulted_at IS NOT NULL
