-- $1 business, $2 limit, $3 seconds
WITH due AS MATERIALIZED (
  SELECT a.import_id
  FROM imports i
  JOIN import_appliers a ON a.business_id = i.business_id AND a.import_id = i.import_id
  WHERE i.business_id = $1 AND i.state IN (1, 2) AND (i.state = 2 OR i.committed_row > a.applied_row)
    AND (a.lease_until IS NULL OR a.lease_until < now())
  ORDER BY a.import_id
  LIMIT $2
  FOR UPDATE OF a SKIP LOCKED
)
UPDATE import_appliers a
SET fence = a.fence + 1, lease_until = now() + make_interval(secs => $3)
FROM due
WHERE a.business_id = $1 AND a.import_id = due.import_id
RETURNING a.import_id, a.fence
