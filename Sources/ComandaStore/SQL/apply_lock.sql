-- Holds the applier's row for the transaction, if the lease is still ours, and says what there is to do.
-- $1 business, $2 import, $3 fence
SELECT a.applied_row, i.committed_row, i.state, i.created_by, i.creates_payments, i.creates_notifications
FROM import_appliers a
JOIN imports i ON i.business_id = a.business_id AND i.import_id = a.import_id
WHERE a.business_id = $1 AND a.import_id = $2 AND a.fence = $3 AND i.state IN (1, 2)
FOR UPDATE OF a
