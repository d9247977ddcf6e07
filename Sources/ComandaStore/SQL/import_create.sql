-- $1 business, $2 import, $3 actor, $4 time, $5 expected rows, $6 policy, $7 payment method, $8 channel, $9 currency,
-- $10 payments, $11 notifications, $12 source name, $13 group, $14 file hash, $15 mapping hash, $16 header
INSERT INTO imports (
  business_id, import_id, created_by, created_at, updated_at, expected_rows, policy, default_payment_method,
  default_notification_channel, default_currency, creates_payments, creates_notifications, source_name, group_name,
  file_sha256, mapping_sha256, source_header)
VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
