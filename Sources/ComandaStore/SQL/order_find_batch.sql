-- $1 business, $2 order ids
SELECT
  o.order_id, o.import_id, o.import_row, o.placed_at, o.created_at, o.updated_at, o.subtotal, o.delivery, o.total,
  o.revision, o.status, o.fulfilment, o.payment_method, o.notification_channel, o.currency, o.external_id,
  o.customer_name, o.customer_phone, o.customer_email, o.delivery_address, o.delivery_instructions, o.note, i.names,
  i.skus, i.quantities, i.unit_prices, i.totals, i.notes
FROM unnest($2::uuid[]) AS wanted (order_id)
CROSS JOIN LATERAL (SELECT * FROM orders WHERE business_id = $1 AND order_id = wanted.order_id LIMIT 1) AS o
CROSS JOIN LATERAL (
  SELECT
    array_agg(l.name) AS names, array_agg(l.sku) AS skus, array_agg(l.quantity) AS quantities,
    array_agg(l.unit_price) AS unit_prices, array_agg(l.total) AS totals, array_agg(l.note) AS notes
  FROM (
    SELECT * FROM order_items WHERE business_id = $1 AND order_id = o.order_id ORDER BY line
  ) AS l
) AS i
