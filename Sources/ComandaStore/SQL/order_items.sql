-- Inserts the items of those new orders that were inserted: nobody else knows their ids.
-- $1 business, then one array a column
INSERT INTO order_items (business_id, order_id, line, quantity, unit_price, total, name, sku, note)
SELECT $1, n.order_id, n.line, n.quantity, n.unit_price, n.total, n.name, n.sku, n.note
FROM unnest($2::uuid[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[])
  AS n (order_id, line, quantity, unit_price, total, name, sku, note)
CROSS JOIN LATERAL (SELECT FROM orders WHERE business_id = $1 AND order_id = n.order_id LIMIT 1) AS inserted
