-- The newest first, since ids are in the order of creation; cut where their texts reach a megabyte. listed says how
-- many there were before that cut.
-- $1 business, $2 states, $3 group or empty, $4 before this import, $5 limit
SELECT
  i.import_id, i.created_by, i.created_at, i.updated_at, i.sealed_at, i.ended_at, i.expected_rows, i.total_rows,
  i.policy, i.default_payment_method, i.default_notification_channel, i.default_currency, i.creates_payments,
  i.creates_notifications, i.source_name, i.group_name, i.file_sha256, i.mapping_sha256, i.source_header, i.state_now,
  i.committed_row, i.failed, i.revision_now, i.applied_row, i.applied_rows, i.unchanged_rows, now(), i.listed
FROM (
  SELECT
    matching.*, count(*) OVER () AS listed,
    sum(octet_length(source_header) + octet_length(source_name) + octet_length(group_name) + 256)
      OVER (ORDER BY import_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
  FROM (
    SELECT
      i.*, known.state_now, i.failed_rows + a.failed_rows AS failed, i.revision + a.revision AS revision_now,
      a.applied_row, a.applied_rows, a.unchanged_rows
    FROM imports i
    JOIN import_appliers a ON a.business_id = i.business_id AND a.import_id = i.import_id
    CROSS JOIN LATERAL (
      SELECT CASE WHEN i.state IN (1, 2) AND a.faulted_at IS NOT NULL THEN 9::smallint ELSE i.state END AS state_now
    ) AS known
    WHERE i.business_id = $1 AND known.state_now = ANY ($2::smallint[]) AND ($3 = '' OR i.group_name = $3)
      AND i.import_id < $4
    ORDER BY i.import_id DESC
    LIMIT $5
  ) AS matching
) AS i
WHERE coalesce(i.bytes_before, 0) < 1048576
ORDER BY i.import_id DESC
