-- Inserts new orders of one business, sorted by external id; an order whose id is taken or whose request was not
-- claimed is left out, and so are all when there is no such business.
-- $1 business, $2 now, $3 method, then one array a column
INSERT INTO orders (
  business_id, order_id, placed_at, created_at, updated_at, subtotal, delivery, total, revision, item_count, status,
  fulfilment, payment_method, notification_channel, fingerprint_version, fingerprint, currency, external_id,
  customer_name, customer_phone, customer_email, delivery_address, delivery_instructions, note)
SELECT
  $1, n.order_id, n.placed_at, $2, $2, n.subtotal, n.delivery, n.total, 1, n.item_count, 1, n.fulfilment,
  n.payment_method, n.notification_channel, n.fingerprint_version, n.fingerprint, n.currency, n.external_id,
  n.customer_name, n.customer_phone, n.customer_email, n.delivery_address, n.delivery_instructions, n.note
FROM unnest(
  $4::uuid[], $5::timestamptz[], $6::bigint[], $7::bigint[], $8::bigint[], $9::integer[], $10::smallint[],
  $11::smallint[], $12::smallint[], $13::smallint[], $14::bytea[], $15::text[], $16::text[], $17::text[], $18::text[],
  $19::text[], $20::text[], $21::text[], $22::text[], $23::text[]
) AS n (
  order_id, placed_at, subtotal, delivery, total, item_count, fulfilment, payment_method, notification_channel,
  fingerprint_version, fingerprint, currency, external_id, customer_name, customer_phone, customer_email,
  delivery_address, delivery_instructions, note, request_id)
WHERE EXISTS (SELECT FROM business_sequences s WHERE s.business_id = $1)
  AND (n.request_id = '' OR EXISTS (
    SELECT FROM requests r
    WHERE r.business_id = $1 AND r.method = $3 AND r.request_id = n.request_id AND r.response_id = n.order_id))
ORDER BY n.external_id COLLATE "C"
ON CONFLICT (business_id, external_id) DO NOTHING
