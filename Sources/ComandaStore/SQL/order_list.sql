-- The latest placed first. The index has a run for each status, and each run is in the order of the list: the runs are
-- cut to the page and merged, so that a page costs the same with and without a status, at the list's start and end.
-- $1 business, $2 statuses, $3 placed at or after, $4 and $5 before this place, $6 limit, $7 import or null,
-- $8 customer pattern or empty, $9 text pattern or empty
SELECT
  o.order_id, o.import_id, o.import_row, o.placed_at, o.created_at, o.updated_at, o.subtotal, o.delivery, o.total,
  o.revision, o.status, o.fulfilment, o.payment_method, o.notification_channel, o.currency, o.external_id,
  o.customer_name, o.customer_phone, o.customer_email, o.delivery_address, o.delivery_instructions, o.note, i.names,
  i.skus, i.quantities, i.unit_prices, i.totals, i.notes
FROM (
  SELECT run.*
  FROM unnest($2::smallint[]) AS wanted (status)
  CROSS JOIN LATERAL (
    SELECT *
    FROM orders
    WHERE business_id = $1 AND status = wanted.status AND placed_at >= $3 AND (placed_at, order_id) < ($4, $5)
      AND ($7::uuid IS NULL OR import_id = $7)
      AND ($8 = '' OR customer_name ILIKE $8 OR customer_phone ILIKE $8 OR customer_email ILIKE $8)
      AND ($9 = '' OR external_id ILIKE $9 OR note ILIKE $9 OR EXISTS (
        SELECT FROM order_items l
        WHERE l.business_id = $1 AND l.order_id = orders.order_id AND (l.name ILIKE $9 OR l.note ILIKE $9)))
    ORDER BY placed_at DESC, order_id DESC
    LIMIT $6
  ) AS run
  ORDER BY run.placed_at DESC, run.order_id DESC
  LIMIT $6
) AS o
CROSS JOIN LATERAL (
  SELECT
    array_agg(l.name) AS names, array_agg(l.sku) AS skus, array_agg(l.quantity) AS quantities,
    array_agg(l.unit_price) AS unit_prices, array_agg(l.total) AS totals, array_agg(l.note) AS notes
  FROM (
    SELECT * FROM order_items WHERE business_id = $1 AND order_id = o.order_id ORDER BY line
  ) AS l
) AS i
ORDER BY o.placed_at DESC, o.order_id DESC
