-- Creates an import, unless the business has too many that are not final. Who calls this holds the business's counter,
-- so that two who create at once see each other's.
-- $1 business, $2 import, $3 actor, $4 time, $5 expected rows, $6 policy, $7 payment method, $8 channel, $9 currency,
-- $10 payments, $11 notifications, $12 source name, $13 group, $14 file hash, $15 mapping hash, $16 header, $17 limit
INSERT INTO imports (
  business_id, import_id, created_by, created_at, updated_at, expected_rows, policy, default_payment_method,
  default_notification_channel, default_currency, creates_payments, creates_notifications, source_name, group_name,
  file_sha256, mapping_sha256, source_header)
SELECT
  $1, $2, $3, $4::timestamptz, $4::timestamptz, $5::bigint, $6, $7, $8, $9, $10, $11, $12, $13, $14::bytea, $15::bytea,
  $16
WHERE (
  SELECT count(*) FROM (SELECT FROM imports WHERE business_id = $1 AND state IN (1, 2) LIMIT $17) AS unfinished) < $17
