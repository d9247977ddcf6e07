-- Businesses whose imports have rows to apply, or an end to record, that is due.
-- $1 limit, $2 after this business
SELECT DISTINCT i.business_id
FROM imports i
JOIN import_appliers a ON a.business_id = i.business_id AND a.import_id = i.import_id
WHERE i.state IN (1, 2) AND (i.state = 2 OR i.committed_row > a.applied_row) AND i.business_id > $2
  AND NOT a.has_ended AND a.faulted_at IS NULL AND (a.retry_at IS NULL OR a.retry_at <= now())
ORDER BY i.business_id
LIMIT $1
