-- Records what the chunk came to and renews the lease.
-- $1 business, $2 import, $3 last row, $4 applied, $5 unchanged, $6 failed, $7 seconds of lease
UPDATE import_appliers
SET
  applied_row = $3,
  applied_rows = applied_rows + $4,
  unchanged_rows = unchanged_rows + $5,
  failed_rows = failed_rows + $6,
  revision = revision + 1,
  lease_until = now() + make_interval(secs => $7)
WHERE business_id = $1 AND import_id = $2
