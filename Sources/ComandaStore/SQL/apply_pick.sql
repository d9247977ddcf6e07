-- Picks the import of a business that has waited longest, of those with work that is due, and holds its applier's row
-- until the transaction ends. Imports that others hold are passed over.
-- $1 business
SELECT
  a.import_id, a.applied_row, i.committed_row, i.state, i.created_by, i.creates_payments, i.creates_notifications
FROM imports i
JOIN import_appliers a ON a.business_id = i.business_id AND a.import_id = i.import_id
WHERE i.business_id = $1 AND i.state IN (1, 2) AND (i.state = 2 OR i.committed_row > a.applied_row)
  AND NOT a.has_ended AND a.faulted_at IS NULL AND (a.retry_at IS NULL OR a.retry_at <= now())
ORDER BY a.turn_at, a.import_id
LIMIT 1
FOR UPDATE OF a SKIP LOCKED
