-- Businesses whose imports have rows to apply, or an end to record, while nobody holds their lease.
-- $1 limit
SELECT DISTINCT i.business_id
FROM imports i
JOIN import_appliers a ON a.business_id = i.business_id AND a.import_id = i.import_id
WHERE i.state IN (1, 2) AND (i.state = 2 OR i.committed_row > a.applied_row)
  AND (a.lease_until IS NULL OR a.lease_until < now())
LIMIT $1
