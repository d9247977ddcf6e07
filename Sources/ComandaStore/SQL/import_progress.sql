-- $1 business, $2 import
SELECT
  CASE WHEN i.state IN (1, 2) AND a.faulted_at IS NOT NULL THEN 9::smallint ELSE i.state END,
  i.committed_row, i.total_rows, i.failed_rows + a.failed_rows, i.revision + a.revision, a.applied_row,
  a.applied_rows, a.unchanged_rows, now()
FROM imports i
JOIN import_appliers a ON a.business_id = i.business_id AND a.import_id = i.import_id
WHERE i.business_id = $1 AND i.import_id = $2
