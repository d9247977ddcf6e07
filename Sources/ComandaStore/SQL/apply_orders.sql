-- Inserts the orders of the chunk, sorted by external id, so that two writers of a business cannot deadlock. An id that
-- is taken inserts nothing; apply_conflicts.sql settles those rows.
-- $1 business, $2 import, $3 first row, $4 last row
INSERT INTO orders (
  business_id, order_id, import_id, import_row, placed_at, created_at, updated_at, subtotal, delivery, total, revision,
  item_count, status, fulfilment, payment_method, notification_channel, fingerprint_version, fingerprint, currency,
  external_id, customer_name, customer_phone, customer_email, delivery_address, delivery_instructions, note)
SELECT
  business_id, order_id, import_id, row, placed_at, now(), now(), subtotal, delivery, total, 1,
  cardinality(item_numbers) / 3, 1, fulfilment, payment_method, notification_channel, fingerprint_version, fingerprint,
  currency, external_id, customer_name, customer_phone, customer_email, delivery_address, delivery_instructions, note
FROM import_rows
WHERE business_id = $1 AND import_id = $2 AND row BETWEEN $3 AND $4 AND verdict = 1
ORDER BY external_id
ON CONFLICT (business_id, external_id) DO NOTHING
