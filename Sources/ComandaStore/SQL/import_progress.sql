-- $1 business, $2 import
SELECT
  i.state, i.committed_row, i.total_rows, i.failed_rows + a.failed_rows, i.revision + a.revision, a.applied_row,
  a.applied_rows, a.unchanged_rows, now()
FROM imports i
JOIN import_appliers a ON a.business_id = i.business_id AND a.import_id = i.import_id
WHERE i.business_id = $1 AND i.import_id = $2
