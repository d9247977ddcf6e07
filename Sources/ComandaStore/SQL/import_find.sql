-- $1 business, $2 import
SELECT
  i.import_id, i.created_by, i.created_at, i.updated_at, i.sealed_at, i.ended_at, i.expected_rows, i.total_rows,
  i.policy, i.default_payment_method, i.default_notification_channel, i.default_currency, i.creates_payments,
  i.creates_notifications, i.source_name, i.group_name, i.file_sha256, i.mapping_sha256, i.source_header,
  CASE WHEN i.state IN (1, 2) AND a.faulted_at IS NOT NULL THEN 9::smallint ELSE i.state END,
  i.committed_row, i.failed_rows + a.failed_rows, i.revision + a.revision, a.applied_row, a.applied_rows,
  a.unchanged_rows, now()
FROM imports i
JOIN import_appliers a ON a.business_id = i.business_id AND a.import_id = i.import_id
WHERE i.business_id = $1 AND i.import_id = $2
