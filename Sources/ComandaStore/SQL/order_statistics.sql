-- Orders, item lines and totals by status and currency. A total that bigint does not hold ends at its largest value.
-- $1 business, $2 statuses, $3 placed at or after, $4 placed before, $5 import or null, $6 customer pattern or empty,
-- $7 text pattern or empty
SELECT status, currency, count(*), sum(item_count), least(sum(total), 9223372036854775807)::bigint
FROM orders
WHERE business_id = $1 AND status = ANY ($2::smallint[]) AND placed_at >= $3 AND placed_at < $4
  AND ($5::uuid IS NULL OR import_id = $5)
  AND ($6 = '' OR customer_name ILIKE $6 OR customer_phone ILIKE $6 OR customer_email ILIKE $6)
  AND ($7 = '' OR external_id ILIKE $7 OR note ILIKE $7 OR EXISTS (
    SELECT FROM order_items l
    WHERE l.business_id = $1 AND l.order_id = orders.order_id AND (l.name ILIKE $7 OR l.note ILIKE $7)))
GROUP BY status, currency
